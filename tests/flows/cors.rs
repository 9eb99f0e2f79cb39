//! Which other sites' scripts may read which answers.

use serde_json::{Value, json};

use super::realm::{CONFIG, client, text, tokens};
use crate::fakes::{Call, Edge, Reply, World, call};

const HOST: &str = "https://edge.example/test";
const APP: &str = "https://app.example";

fn from(edge: &Edge<'_>, origin: &str, request: Call) -> Reply {
    call(edge, &request.header("origin", origin)).0
}

fn allowed(reply: &Reply) -> Option<&str> {
    let answer = reply.answer();
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    answer.header("access-control-allow-origin")
}

fn form(path: &str, client: &Value, more: &str) -> Call {
    let (id, secret) = (text(client, "client_id"), text(client, "client_secret"));
    Call::form(format!("{HOST}{path}"), format!("client_id={id}&client_secret={secret}&{more}"))
}

#[test]
fn attack_71_everybody_reads_what_is_public_and_a_clients_origins_read_what_it_is_answered() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let more = json!({ "redirect_uris": ["https://app.example/cb"], "grant_types": ["client_credentials", "authorization_code"] });
    let mine = client(&edge, "test", &more);
    for path in ["/.well-known/openid-configuration", "/jwks"] {
        assert_eq!(
            allowed(&from(&edge, "https://any.example", Call::get(format!("{HOST}{path}")))),
            Some("*")
        );
    }
    let token =
        text(&tokens(&edge, "test", &mine, "grant_type=client_credentials"), "access_token").to_owned();
    for (what, request) in [
        ("token", form("/oauth/token", &mine, "grant_type=client_credentials")),
        ("an error", form("/oauth/token", &mine, "grant_type=authorization_code&code=junk")),
        ("revocation", form("/oauth/revoke", &mine, "token=junk")),
        ("userinfo", Call::get(format!("{HOST}/oauth/userinfo")).bearer(&token)),
    ] {
        assert_eq!(allowed(&from(&edge, APP, request.clone())), Some(APP), "{what}");
        for other in
            ["https://evil.example", "null", "http://app.example", "https://app.example.evil.example"]
        {
            let reply = from(&edge, other, request.clone());
            assert_eq!(
                (allowed(&reply), reply.answer().header("vary")),
                (None, Some("Origin")),
                "{what} {other}"
            );
        }
        assert_eq!(allowed(&call(&edge, &request).0), None, "{what}, from no site");
    }
    // RFC 9700 section 2.6: never the authorization endpoint; nor a page, nor what manages.
    let id = text(&mine, "client_id");
    let asks = format!(
        "{HOST}/oauth/authorize?client_id={id}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&response_type=code"
    );
    for request in [
        Call::get(asks),
        Call::get(format!("{HOST}/consent")),
        Call::form(format!("{HOST}/login"), "login=a"),
        form("/oauth/introspect", &mine, "token=junk"),
        Call::json(format!("{HOST}/api/v1/clients"), "{}").bearer("operator"),
    ] {
        assert_eq!(allowed(&from(&edge, APP, request)), None);
    }
}

#[test]
fn attack_71_a_preflight_opens_what_scripts_may_ask_and_nothing_else() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let ask = |path: &str, method: &str| {
        from(
            &edge,
            APP,
            Call::options(format!("{HOST}{path}")).header("access-control-request-method", method),
        )
    };
    for (path, method) in [
        ("/oauth/userinfo", "GET"),
        ("/oauth/token", "POST"),
        ("/oauth/revoke", "POST"),
        ("/jwks", "GET"),
        ("/.well-known/openid-configuration", "GET"),
    ] {
        let reply = ask(path, method);
        assert_eq!((reply.status(), allowed(&reply)), (204, Some(APP)), "{path}");
        assert_eq!(reply.answer().header("access-control-allow-methods"), Some(method));
    }
    for (path, method) in [
        ("/oauth/authorize", "GET"),
        ("/login", "POST"),
        ("/consent", "POST"),
        ("/oauth/introspect", "POST"),
        ("/api/v1/clients", "POST"),
        ("/oauth/token", "GET"),
        ("/oauth/userinfo", "DELETE"),
    ] {
        let reply = ask(path, method);
        assert_eq!((reply.status(), allowed(&reply)), (405, None), "{path}");
    }
}
