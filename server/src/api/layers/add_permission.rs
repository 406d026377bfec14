//! AddLayerVersionPermission: one more account, or everybody, may use a version.

use std::sync::Arc;

use lambd_wire::{Error, input, output};

use crate::api::Call;
use crate::api::rules::layers::{self, LayerName};
use crate::api::rules::{layer_policy, policy};
use crate::app::App;
use crate::resources::{LayerPermission, LayerVersion};

pub(in crate::api) async fn handle(
    app: &Arc<App>,
    call: &Call,
    (): (),
    input: input::AddLayerVersionPermission,
) -> Result<output::AddLayerVersionPermission, Error> {
    let layer = LayerName::of(&call.place, input.layer_name.as_deref()).owned_by(&call.place)?;
    let number = layers::number(input.version_number)?;
    let permission = LayerPermission {
        sid: input.statement_id.unwrap_or_default(),
        principal: input.principal.unwrap_or_default(),
        organization: input.organization_id,
    };
    let arn = layer.version_arn(number);
    let shown = policy::statement(&arn, &layer_policy::statement(&permission));
    let add = move |version: &mut LayerVersion| {
        if version.policy.iter().any(|known| known.sid == permission.sid) {
            return Err(policy::statement_exists(&permission.sid));
        }
        version.policy.push(permission);
        Ok(())
    };
    let revision = layer_policy::change(app, layer, number, input.revision_id, add).await?;
    Ok(output::AddLayerVersionPermission {
        statement: Some(shown.to_string()),
        revision_id: Some(revision.to_string()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::api::testing::*;

    const OTHER: &str = "111111111111";
    const ARN: &str = "arn:aws:lambda:us-east-1:000000000000:layer:l";

    fn request(sid: &str, principal: &str) -> Value {
        json!({ "StatementId": sid, "Action": "lambda:GetLayerVersion", "Principal": principal })
    }

    #[tokio::test]
    async fn a_permission_opens_one_version_to_an_account() {
        let api = Api::with_layers("l", 2).await;
        let path = "/2018-10-31/layers/l/versions/1/policy";
        let answer = api.call("POST", path, request("a", OTHER)).await;
        assert_eq!(answer.status, 201);
        let added = answer.ok();
        let statement: Value = serde_json::from_str(added["Statement"].as_str().unwrap()).unwrap();
        let want = json!({
            "Sid": "a", "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111111111111:root" },
            "Action": "lambda:GetLayerVersion", "Resource": format!("{ARN}:1"),
        });
        assert_eq!(statement, want);
        let policy = api.call("GET", path, Value::Null).await.ok();
        assert_eq!(policy["RevisionId"], added["RevisionId"]);
        let document: Value = serde_json::from_str(policy["Policy"].as_str().unwrap()).unwrap();
        assert_eq!(document["Statement"], json!([want]));
        let see = async |number: u64| {
            let path = format!("/2018-10-31/layers/{ARN}/versions/{number}");
            api.call_as(OTHER, REGION, "GET", &path, Value::Null).await.status
        };
        assert_eq!((see(1).await, see(2).await), (200, 403));
        let mut function = function("f");
        function["Layers"] = json!([format!("{ARN}:1")]);
        let made = api.call_as(OTHER, REGION, "POST", "/2015-03-31/functions", function.clone()).await.ok();
        assert_eq!(made["Layers"][0]["Arn"], format!("{ARN}:1"));
        function["Layers"] = json!([format!("{ARN}:2")]);
        let refused = api.call_as(OTHER, REGION, "POST", "/2015-03-31/functions", function).await.refused();
        assert_eq!(refused.0, 403);
        let gone = api.call("DELETE", &format!("{path}/a"), Value::Null).await;
        assert_eq!((gone.status, see(1).await), (204, 403));
        let mut of_organization = request("o", "*");
        of_organization["OrganizationId"] = json!("o-1234567890");
        api.call("POST", path, of_organization).await.ok();
        assert_eq!(see(1).await, 403, "no account belongs to an organization");
    }

    #[tokio::test]
    async fn recorded_refusals() {
        let api = Api::with_layers("l", 1).await;
        let path = "/2018-10-31/layers/l/versions/1/policy";
        api.call("POST", path, request("a", "*")).await.ok();
        let mut action = request("b", "*");
        action["Action"] = json!("*");
        let missing = |name: &str, number: u64| {
            format!(
                "Layer version arn:aws:lambda:us-east-1:000000000000:layer:{name}:{number} does not exist."
            )
        };
        let layers = "/2018-10-31/layers";
        for (method, path, request, status, text) in [
            (
                "POST",
                path.to_owned(),
                request("a", "*"),
                409,
                "The statement id (a) provided already exists.".to_owned(),
            ),
            (
                "POST",
                format!("{path}?RevisionId=wrong"),
                request("b", "*"),
                412,
                "Call the GetLayerPolicy API".to_owned(),
            ),
            ("POST", path.to_owned(), action, 400, "pattern: lambda:GetLayerVersion".to_owned()),
            ("POST", format!("{layers}/x/versions/1/policy"), request("b", "*"), 404, missing("x", 1)),
            ("GET", format!("{layers}/l/versions/2/policy"), Value::Null, 404, missing("l", 2)),
            ("DELETE", format!("{layers}/x/versions/1/policy/a"), Value::Null, 404, missing("x", 1)),
            ("DELETE", format!("{path}/a?RevisionId=wrong"), Value::Null, 412, "GetLayerPolicy".to_owned()),
            (
                "DELETE",
                format!("{path}/none"),
                Value::Null,
                404,
                "Statement none is not found in resource policy.".to_owned(),
            ),
        ] {
            let (got, _, message) = api.call(method, &path, request).await.refused();
            assert!(got == status && message.contains(&text), "{method} {path}: {got} {message}");
        }
        api.call("DELETE", &format!("{path}/a"), Value::Null).await;
        let (status, _, message) = api.call("GET", path, Value::Null).await.refused();
        assert_eq!((status, message.as_str()), (404, "No policy is associated with the given resource."));
    }
}
