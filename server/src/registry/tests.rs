//! Changes of functions, in memory and in the store.

use lambd_model::{FunctionState, LastUpdate};
use lambd_store::MemStore;

use super::testing::{ACCOUNT, function, id, of};
use super::*;

fn place(account: &str) -> Place {
    Place { account: account.into(), region: "us-east-1".into() }
}

async fn registry(store: &Arc<MemStore>) -> Arc<Registry> {
    Arc::new(Registry::open(Arc::clone(store) as Arc<dyn Store>, ACCOUNT, 1000).await.unwrap())
}

#[tokio::test]
async fn acknowledged_changes_survive_a_restart() {
    let store = Arc::new(MemStore::new());
    let first = registry(&store).await;
    first.create(function("a")).await.unwrap();
    first.create(function("b")).await.unwrap();
    assert!(matches!(first.create(function("a")).await, Err(RegistryError::Exists)));
    let key = function("a").id;
    first.update(Arc::clone(&key), |f| Ok(f.activated())).await.unwrap();
    first.delete(function("b").id).await.unwrap();
    let second = registry(&store).await;
    assert_eq!(second.all(), first.all());
    let a = second.get(&key).unwrap();
    assert_eq!((a.state, a.last_update), (FunctionState::Active, Some(LastUpdate::Successful)));
    assert!(second.get(&function("b").id).is_none());
}

#[tokio::test]
async fn a_refused_change_changes_nothing() {
    let store = Arc::new(MemStore::new());
    let registry = registry(&store).await;
    let before = registry.create(function("a")).await.unwrap();
    let refused = registry.update(Arc::clone(&before.id), |_| Err(RegistryError::Revision)).await;
    assert!(matches!(refused, Err(RegistryError::Revision)));
    assert_eq!(registry.get(&before.id), Some(before));
    let missing = registry.update(function("x").id, |f| Ok(f.clone())).await;
    assert!(matches!(missing, Err(RegistryError::Missing)));
}

#[tokio::test]
async fn pages_follow_the_names_of_one_account_and_region() {
    let store = Arc::new(MemStore::new());
    let registry = registry(&store).await;
    for name in ["b", "a", "c"] {
        registry.create(function(name)).await.unwrap();
    }
    for far in [id(ACCOUNT, "eu-west-1", "d"), id("111111111111", "us-east-1", "d")] {
        registry.create(of(&far)).await.unwrap();
    }
    let page = |after, limit| -> Vec<String> {
        registry.list(&place(ACCOUNT), after, limit).iter().map(|f| f.id.name.clone()).collect()
    };
    assert_eq!(page(None, 2), ["a", "b"]);
    assert_eq!(page(Some("b"), 2), ["c"]);
}

#[tokio::test]
async fn the_account_keeps_a_hundred_unreserved() {
    let store = Arc::new(MemStore::new());
    let registry = registry(&store).await;
    let (a, b) = (function("a").id, function("b").id);
    registry.create(function("a")).await.unwrap();
    registry.create(function("b")).await.unwrap();
    let unreserved = |r: Result<Arc<Function>, RegistryError>| matches!(r, Err(RegistryError::Unreserved));
    assert!(unreserved(registry.reserve(Arc::clone(&a), Some(901)).await));
    registry.reserve(Arc::clone(&a), Some(900)).await.unwrap();
    assert!(unreserved(registry.reserve(Arc::clone(&b), Some(1)).await));
    registry.reserve(b, Some(0)).await.unwrap();
    registry.reserve(Arc::clone(&a), Some(899)).await.unwrap();
    assert_eq!(registry.usage(ACCOUNT).unreserved_concurrency, 101);
    registry.reserve(a, None).await.unwrap();
    assert_eq!(registry.usage(ACCOUNT).unreserved_concurrency, 1000);
}

#[tokio::test]
async fn waiting_ends_with_the_state_or_the_function() {
    let store = Arc::new(MemStore::new());
    let registry = registry(&store).await;
    let made = registry.create(function("a")).await.unwrap();
    let waiter = {
        let (registry, key) = (Arc::clone(&registry), Arc::clone(&made.id));
        tokio::spawn(async move { registry.wait_active(&key).await })
    };
    registry.update(Arc::clone(&made.id), |f| Ok(f.activated())).await.unwrap();
    assert_eq!(waiter.await.unwrap().unwrap().state, FunctionState::Active);
    registry.delete(Arc::clone(&made.id)).await.unwrap();
    assert!(registry.wait_active(&made.id).await.is_none());
}

#[tokio::test]
async fn accounts_do_not_see_the_functions_of_each_other() {
    let store = Arc::new(MemStore::new());
    let registry = registry(&store).await;
    let (mine, theirs) = (id(ACCOUNT, "us-east-1", "f"), id("111111111111", "us-east-1", "f"));
    registry.create(of(&mine)).await.unwrap();
    assert!(registry.get(&theirs).is_none() && registry.list(&place("111111111111"), None, 9).is_empty());
    registry.create(of(&theirs)).await.unwrap();
    registry.reserve(Arc::clone(&mine), Some(900)).await.unwrap();
    registry.reserve(Arc::clone(&theirs), Some(900)).await.unwrap();
    assert_eq!(registry.usage(ACCOUNT).functions, 1);
    let version = Arc::clone(&registry.get(&theirs).unwrap().latest);
    registry.delete(mine).await.unwrap();
    assert!(registry.is_current(&version));
    registry.delete(theirs).await.unwrap();
    assert!(!registry.is_current(&version));
}
