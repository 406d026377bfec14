//! Which connection is closed when there are too many.

use super::*;

const ONE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));
const TWO: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 2));

fn limits() -> ConnectionLimits {
    ConnectionLimits {
        connections_max: 6,
        strangers_max: 4,
        strangers_per_peer_max: 3,
        ..ConnectionLimits::default()
    }
}

struct Guest {
    activity: Arc<Activity>,
    seat: Option<Seat>,
    task: tokio::task::JoinHandle<()>,
}

impl Guest {
    /// Connects a little later than the one before.
    fn try_enter(table: &ConnectionTable, peer: IpAddr) -> (Option<Self>, Option<Crowd>) {
        let (activity, mut told) = (Arc::new(Activity::new()), None);
        let seat = table.try_seat(peer, &activity, &mut |crowd| told = Some(crowd));
        let guest = seat.map(|seat| {
            let task = tokio::spawn(std::future::pending());
            table.serves(seat.number(), task.abort_handle());
            Self { activity, seat: Some(seat), task }
        });
        (guest, told)
    }

    async fn enter(table: &ConnectionTable, peer: IpAddr) -> Self {
        tokio::time::advance(Duration::from_millis(5)).await;
        Self::try_enter(table, peer).0.unwrap()
    }

    /// Whether its connection was closed.
    async fn is_gone(&mut self) -> bool {
        tokio::task::yield_now().await;
        let gone = self.task.is_finished();
        if gone {
            self.seat = None;
        }
        gone
    }
}

async fn gone(guests: &mut [Guest]) -> Vec<bool> {
    let mut all = Vec::new();
    for guest in guests {
        all.push(guest.is_gone().await);
    }
    all
}

#[tokio::test(start_paused = true)]
async fn the_idlest_stranger_of_the_address_with_most_is_closed() {
    let table = ConnectionTable::new(limits());
    let mut guests = Vec::new();
    for peer in [TWO, ONE, ONE] {
        guests.push(Guest::enter(&table, peer).await);
    }
    guests[1].activity.begin(); // busy: the other one of its address is closed first
    guests.push(Guest::enter(&table, ONE).await);
    assert_eq!(gone(&mut guests).await, [false; 4]);
    tokio::time::advance(GRACE).await;
    let (fifth, told) = Guest::try_enter(&table, TWO);
    assert_eq!(told, Some(Crowd::Strangers));
    assert_eq!(gone(&mut guests).await, [false, false, true, false]);
    drop(fifth);
}

#[tokio::test(start_paused = true)]
async fn an_address_has_its_own_limit() {
    let table = ConnectionTable::new(limits());
    let mut guests = Vec::new();
    for _ in 0..3 {
        guests.push(Guest::enter(&table, ONE).await);
    }
    tokio::time::advance(GRACE).await;
    let (fourth, told) = Guest::try_enter(&table, ONE);
    assert!(fourth.is_some());
    assert_eq!(told, Some(Crowd::Peer));
    assert_eq!(gone(&mut guests).await, [true, false, false]);
}

#[tokio::test(start_paused = true)]
async fn strangers_never_displace_authenticated_callers() {
    let table = ConnectionTable::new(limits());
    let mut known = Vec::new();
    for _ in 0..3 {
        let guest = Guest::enter(&table, ONE).await;
        Caller::of(&guest.activity, ONE).set_known();
        known.push(guest);
    }
    let mut strangers = Vec::new();
    for _ in 0..20 {
        tokio::time::advance(GRACE).await;
        strangers.push(Guest::enter(&table, TWO).await);
        let _ = gone(&mut strangers).await;
    }
    assert_eq!(gone(&mut known).await, [false; 3]);
    assert_eq!(gone(&mut strangers).await.iter().filter(|gone| !**gone).count(), 3);
}

/// Real callers come in bursts and authenticate a moment later: none of them is closed, and those over the
/// limit wait.
#[tokio::test(start_paused = true)]
async fn a_burst_of_new_callers_is_accepted_up_to_the_limit() {
    let table = ConnectionTable::new(limits());
    let mut guests = Vec::new();
    for _ in 0..6 {
        let (guest, told) = Guest::try_enter(&table, ONE);
        assert_eq!(told, None);
        guests.push(guest.unwrap());
    }
    assert!(matches!(Guest::try_enter(&table, ONE), (None, Some(_))));
    assert_eq!(gone(&mut guests).await, [false; 6]);
    // They stay strangers: after some time, those that are too many are closed.
    tokio::time::advance(GRACE).await;
    assert!(Guest::try_enter(&table, ONE).0.is_some());
    assert_eq!(gone(&mut guests).await.iter().filter(|gone| **gone).count(), 4);
}

/// This holds for any number of strangers at once.
#[tokio::test(start_paused = true)]
async fn a_burst_of_strangers_displaces_no_authenticated_caller() {
    let table = ConnectionTable::new(limits());
    let mut known = vec![Guest::enter(&table, ONE).await, Guest::enter(&table, ONE).await];
    known.iter().for_each(|guest| Caller::of(&guest.activity, ONE).set_known());
    let burst: Vec<_> = (0..20).map(|_| Guest::try_enter(&table, TWO).0).collect();
    assert_eq!(burst.iter().flatten().count(), 4);
    assert_eq!(gone(&mut known).await, [false; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_full_table_closes_idle_connections_and_waits_for_busy_ones() {
    let table = ConnectionTable::new(limits());
    let mut known = Vec::new();
    for _ in 0..6 {
        let guest = Guest::enter(&table, ONE).await;
        Caller::of(&guest.activity, ONE).set_known();
        guest.activity.begin();
        known.push(guest);
    }
    assert!(matches!(Guest::try_enter(&table, TWO), (None, Some(Crowd::House))));
    known[4].activity.end();
    assert!(Guest::try_enter(&table, TWO).0.is_some());
    assert_eq!(gone(&mut known).await, [false, false, false, false, true, false]);
}

#[tokio::test(start_paused = true)]
async fn requests_give_more_time_to_authenticated_callers_only() {
    let limits = ConnectionLimits::default();
    let activity = Arc::new(Activity::new());
    let born = Instant::now();
    tokio::time::advance(Duration::from_secs(4)).await;
    activity.begin();
    assert_eq!(activity.deadline(&limits), Instant::now() + limits.first_request);
    activity.end();
    assert_eq!(activity.deadline(&limits), born + limits.first_request);
    Caller::of(&activity, ONE).set_known();
    assert_eq!(activity.deadline(&limits), Instant::now() + limits.idle);
}
