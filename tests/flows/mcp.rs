//! MCP servers behind the gate: which tools may be called, and by whom.

use serde_json::{Value, json};
use tollgate::config::Config;
use tollgate::time::Lifetime;

use super::token;
use crate::fakes::{Call, Edge, Reply, World, at_once, call};

const CONFIG: &str = r#"{
    "realms": { "test": {
        "issuer": "https://edge.example/test", "idle_seconds": 60, "grain_seconds": 15 } },
    "scopes": {
        "orders:read": { "description": "Read" },
        "orders:cancel": { "description": "Cancel" },
        "orders:admin": { "description": "All", "implies": ["orders:cancel", "orders:read"] },
        "secret": { "description": "Ours", "internal": true }
    },
    "resources": [ { "resource": "https://edge.example/mcp" } ],
    "routes": [
        { "id": "mcp", "methods": ["GET", "POST", "DELETE"], "path": "/mcp", "to": { "service": "MCP" }, "require": {
            "scopes": ["orders:read"], "tools": { "list": [], "cancel": ["orders:cancel"], "purge": ["secret", "orders:admin"] } } }
    ]
}"#;

const MCP: &str = "https://edge.example/mcp";

fn message(body: impl Into<String>) -> Call {
    Call::json(MCP, body).header("accept", "application/json, text/event-stream")
}

fn calls(tool: &str) -> Call {
    message(
        json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": { "name": tool } }).to_string(),
    )
}

/// The status and the challenge of a request.
fn said(edge: &Edge<'_>, request: &Call) -> (u16, Option<String>) {
    match call(edge, request).0 {
        Reply::Forwarded { .. } => (200, None),
        Reply::Answered(answer) => (answer.status, answer.header("www-authenticate").map(str::to_owned)),
    }
}

#[test]
fn a_tool_is_called_with_its_own_scopes_and_one_that_is_not_listed_by_nobody() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let [read, cancel, admin, all] =
        ["orders:read", "orders:read orders:cancel", "orders:admin", "orders:admin secret"]
            .map(|scope| token(&edge, "test", scope));
    let stranger = token(&edge, "test", "orders:cancel");
    let lacks = |scopes: &str| {
        let metadata = "https://edge.example/.well-known/oauth-protected-resource/mcp";
        let said =
            format!(r#"Bearer error="insufficient_scope", scope="{scopes}", resource_metadata="{metadata}""#);
        (403, Some(said))
    };
    for (request, want) in [
        (calls("list").bearer(&read), (200, None)),
        (calls("cancel").bearer(&read), lacks("orders:read orders:cancel")),
        (calls("cancel").bearer(&cancel), (200, None)),
        (calls("cancel").bearer(&admin), (200, None)),
        (calls("purge").bearer(&cancel), lacks("orders:read secret orders:admin")),
        (calls("purge").bearer(&admin), lacks("orders:read secret orders:admin")),
        (calls("purge").bearer(&all), (200, None)),
        (calls("drop").bearer(&admin), (403, None)),
        // Whoever may not come here does not learn which tools there are.
        (calls("drop").bearer(&stranger), lacks("orders:read")),
        (calls("purge").bearer(&stranger), lacks("orders:read")),
        (message("no message").bearer(&stranger), lacks("orders:read")),
        (calls("List").bearer(&admin), (403, None)),
        (message(r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#).bearer(&read), (200, None)),
        (message(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#).bearer(&read), (200, None)),
        (Call::get(MCP).bearer(&read), (200, None)),
        (Call::delete(MCP).bearer(&read), (200, None)),
    ] {
        assert_eq!(said(&edge, &request), want, "{request:?}");
    }
}

#[test]
fn a_message_goes_on_byte_for_byte() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "test", "orders:read");
    let text = "{\n  \"method\": \"tools/call\",\r\n\t\"params\": { \"name\": \"list\", \"x\": 1.0,\n\"y\": \"\u{1f40e}\\u0000\" }\n}\n".to_owned();
    let request = message(text.clone()).header("content-length", "7").bearer(&token);
    let Reply::Forwarded { onward, .. } = call(&edge, &request).0 else { panic!("it passes") };
    assert_eq!(onward.body.as_deref(), Some(text.as_str()));
    assert!(onward.remove.contains(&"content-length".to_owned()), "the platform counts anew");
    assert!(onward.remove.contains(&"authorization".to_owned()), "the token stays here");
    assert!(at_once(&edge, &request).is_none(), "a body is waited for");
    assert!(at_once(&edge, &Call::get(MCP).bearer(&token)).is_none(), "and so are headers");
}

#[test]
fn what_is_no_plain_message_is_refused_and_strangers_are_not_read() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "test", "orders:admin");
    let good = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list"}}"#;
    let refused = |request: Call| said(&edge, &request.bearer(&token)).0;
    for (kind, status) in [
        ("application/json", 200),
        ("Application/JSON; charset=UTF-8", 200),
        ("application/json;charset=utf-8", 200),
        ("application/json; charset=\"utf-8\"", 400),
        ("application/json; charset=utf-7", 400),
        ("application/json; charset=utf-8; charset=utf-16", 400),
        ("application/json; x", 400),
        ("application/json-rpc", 400),
        ("text/plain", 400),
        ("", 400),
    ] {
        assert_eq!(refused(message(good).header("content-type", kind)), status, "{kind}");
    }
    assert_eq!(refused(message(good).header("content-encoding", "deflate")), 400);
    assert_eq!(refused(message("")), 400);
    // A message in the body of another request, and what would be none that is seen.
    let delete = || Call::delete(MCP).header("content-type", "application/json");
    assert_eq!(refused(delete().with_body(good)), 200);
    assert_eq!(refused(delete().with_body(good.replace("list", "drop"))), 403);
    assert_eq!(refused(delete().with_body("x")), 400);
    assert_eq!(refused(Call::get(MCP).with_body(good)), 400);
    assert_eq!(refused(Call::get(MCP).header("upgrade", "websocket").header("connection", "upgrade")), 400);
    assert_eq!(refused(message(format!("[{good}]"))), 400, "a batch");
    assert_eq!(refused(message(good.replace("\"id\":1", "\"id\":1,\"id\":2"))), 400);
    let long = good.replace("\"list\"", &format!("\"list\",\"x\":\"{}\"", "x".repeat(1024 * 1024)));
    assert_eq!(refused(message(long.clone())), 413);
    // What has no token is told so, whatever its body is.
    for body in [good, "[]", long.as_str()] {
        assert_eq!(said(&edge, &message(body)).0, 401);
        assert_eq!(said(&edge, &message(body).bearer("x")).0, 401);
    }
    // A body that takes its time is judged by the time when it was there.
    assert_eq!(refused(message(good).slow(Lifetime::from_seconds(20))), 200);
    assert_eq!(refused(message(good).slow(Lifetime::from_seconds(200))), 401, "idle by then");
}

#[test]
fn a_proxy_that_asks_shows_no_message_so_nothing_passes_by_it() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let token = token(&edge, "test", "orders:admin");
    let check = |method: &str| {
        Call::json("https://edge.example/_tollgate/check", r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#)
            .header("x-original-method", method)
            .header("x-original-uri", "/mcp")
            .header("x-original-host", "edge.example")
            .bearer(&token)
    };
    assert_eq!(["GET", "POST", "DELETE"].map(|method| said(&edge, &check(method)).0), [403; 3]);
}

#[test]
fn rfc9728_section_2_a_resource_says_the_scopes_of_its_tools_too() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let reply = call(&edge, &Call::get("https://edge.example/.well-known/oauth-protected-resource/mcp")).0;
    let told: Value = serde_json::from_str(&reply.answer().body).unwrap();
    assert_eq!(told["scopes_supported"], json!(["orders:admin", "orders:cancel", "orders:read"]));
    assert_eq!(told["authorization_servers"], json!(["https://edge.example/test"]));
}

#[test]
fn tools_that_cannot_be_are_configuration_errors() {
    let problems = |from: &str, to: &str| {
        let text = CONFIG.replace(from, to);
        assert_ne!(text, CONFIG, "{from}");
        let errors = Config::parse(&text).unwrap_err();
        errors.into_iter().map(|error| format!("{}: {}", error.path, error.problem)).collect::<Vec<_>>()
    };
    let at = "routes[0].require.tools";
    for (from, to, begins) in [
        (r#"["orders:cancel"],"#, r#"["orders:cansel"],"#, format!("{at}.cancel[0]: there is no scope")),
        (r#""GET", "POST", "DELETE""#, r#""GET""#, format!("{at}: tools are called by POST")),
        (
            r#""tools": {"#,
            r#""token_in": ["header", "form"], "tools": {"#,
            format!("{at}: a message is no form"),
        ),
        (
            r#"{ "list": [], "cancel": ["orders:cancel"], "purge": ["secret", "orders:admin"] }"#,
            "{}",
            format!("{at}: is empty"),
        ),
    ] {
        let problems = problems(from, to);
        assert!(problems.len() == 1 && problems[0].starts_with(&begins), "{problems:?}");
    }
}
