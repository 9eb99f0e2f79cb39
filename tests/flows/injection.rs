//! What people and applications call themselves is text, and never anything else: markup comes back as JSON and nothing reads it; what could
//! break a line, a header or a terminal is refused.

use serde_json::{Value, json};

use crate::fakes::{Call, OPERATOR, Reply, World};
use crate::flows::idor::owner;
use crate::flows::management::{CONFIG, api, body, get, items, patch, post, send, wanted};

const MARKUP: &str = r#"</script><img src=x onerror="alert(1)">'&{{7*7}}${7*7}%s' OR '1'='1"#;

/// JSON that no browser takes for anything else, and says this where it says so.
fn is_json(reply: &Reply, pointer: &str) {
    let answer = reply.answer();
    assert!((200..300).contains(&answer.status), "{}: {}", answer.status, answer.body);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(body(reply).pointer(pointer), Some(&json!(MARKUP)), "{}", answer.body);
}

#[test]
fn attack_xss_markup_in_a_name_comes_back_as_json_only() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let ada = owner(&world, &edge, "ada");
    let made = post(&edge, "/credentials", &wanted(MARKUP, &world, &["agent"]), &ada.token);
    is_json(&made, "/name");
    is_json(&get(&edge, &format!("/credentials/{}", made.member("client_id")), &ada.token), "/name");
    is_json(&get(&edge, "/credentials", &ada.token), "/items/0/name");
    is_json(&get(&edge, "/credentials", OPERATOR), "/items/0/name");
    is_json(&get(&edge, "/audit", &ada.token), "/items/0/target/name");
    let client = json!({ "client_name": MARKUP, "software_id": "<b>&\"'" });
    is_json(&post(&edge, "/clients", &client, &ada.token), "/client_name");
    is_json(&get(&edge, "/clients", &ada.token), "/items/0/client_name");
    let profile = json!({ "profile": { "name": MARKUP, "email": "\"<b>\"@example.com" } });
    is_json(&patch(&edge, &format!("/users/{}", ada.id), &profile, OPERATOR), "/profile/name");
    is_json(&get(&edge, "/me", &ada.token), "/user/profile/name");
    // It is searched for as it is written.
    let found = |words: &str| {
        let query: String = form_urlencoded::byte_serialize(words.as_bytes()).collect();
        items(&get(&edge, &format!("/users?search={query}"), OPERATOR)).len()
    };
    assert_eq!((found(MARKUP), found("' OR '1'='1"), found("' OR '2'='2"), found("img%alert")), (1, 1, 0, 0));
}

#[test]
fn attack_xss_a_refusal_repeats_nothing_that_was_sent() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let ada = owner(&world, &edge, "ada");
    let odd = json!({ "name": "x", "expires_at": 1, "<script>": MARKUP, "roles": [MARKUP] });
    for reply in [
        post(&edge, "/credentials", &odd, &ada.token),
        post(
            &edge,
            "/clients",
            &json!({ "client_name": "x", "scope": MARKUP, "grant_types": [MARKUP] }),
            &ada.token,
        ),
        post(&edge, "/users", &json!({ "login": MARKUP, "roles": [MARKUP] }), OPERATOR),
        get(&edge, "/credentials/%3Cscript%3E", &ada.token),
        get(&edge, "/credentials?limit=%3Cscript%3E&cursor=%3Cscript%3E", &ada.token),
        send(&edge, Call::get(api("/credentials")).header("if-match", "<script>"), "<script>"),
    ] {
        let answer = reply.answer();
        assert!(matches!(answer.status, 400 | 401 | 404), "{}: {}", answer.status, answer.body);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        let told = format!("{} {:?}", answer.body, answer.headers);
        assert!(
            !["<script", "%3Cscript", "onerror", "OR '1'"].iter().any(|sent| told.contains(sent)),
            "{told}"
        );
    }
}

#[test]
fn attack_control_characters_are_refused_in_every_name() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let ada = owner(&world, &edge, "ada");
    let user = format!("/users/{}", ada.id);
    for control in ["\0", "\n", "\r\n", "\t", "\u{1b}[2J", "\u{7f}", "\u{85}"] {
        let name = format!("a{control}b");
        let credential = wanted(&name, &world, &[]);
        let replies: Vec<(&str, Reply)> = vec![
            ("credential", post(&edge, "/credentials", &credential, &ada.token)),
            ("client_name", post(&edge, "/clients", &json!({ "client_name": name }), &ada.token)),
            (
                "software_id",
                post(&edge, "/clients", &json!({ "client_name": "x", "software_id": name }), &ada.token),
            ),
            ("scope", post(&edge, "/clients", &json!({ "client_name": "x", "scope": name }), &ada.token)),
            ("login", post(&edge, "/users", &json!({ "login": name }), OPERATOR)),
            ("name", patch(&edge, &user, &json!({ "profile": { "name": name } }), OPERATOR)),
            ("email", patch(&edge, &user, &json!({ "profile": { "email": name } }), OPERATOR)),
        ];
        for (what, reply) in replies {
            assert_eq!(reply.status(), 400, "{what} {control:?}: {}", reply.answer().body);
        }
    }
    for list in ["/clients", "/credentials"] {
        let odd = items(&get(&edge, list, OPERATOR)).into_iter().find(|client| {
            let name = client.get("client_name").or(client.get("name"));
            name.and_then(Value::as_str).is_some_and(|name| name.contains(char::is_control))
        });
        assert_eq!(odd, None);
    }
}

#[test]
fn attack_a_line_of_the_audit_log_stays_one_line_and_its_link_one_link() {
    let world = World::new(CONFIG);
    let edge = world.edge();
    let ada = owner(&world, &edge, "ada");
    let split = wanted("a\u{2028}{\"id\":\"forged\"}", &world, &[]);
    assert_eq!(post(&edge, "/credentials", &split, &ada.token).status(), 400);
    for name in ["a\\n{\"id\":\"forged\"}", MARKUP, "x"] {
        assert_eq!(
            post(&edge, "/credentials", &wanted(name, &world, &[]), &ada.token).status(),
            201,
            "{name}"
        );
    }
    let lines = Call::get(api("/audit?limit=2&x=%3E%3B%20rel%3D%22next%22%0D%0Aset-cookie:a=b"))
        .header("accept", "application/jsonl");
    let lines = send(&edge, lines, &ada.token);
    assert_eq!(lines.answer().body.split('\n').filter(|line| !line.is_empty()).count(), 2);
    for line in lines.answer().body.split_terminator('\n') {
        let event: Value = serde_json::from_str(line).unwrap();
        assert!(event["action"].is_string() && event["id"] != "forged", "{line}");
    }
    let link = lines.answer().header("link").unwrap();
    assert_eq!((link.matches('>').count(), link.matches("rel=\"next\"").count()), (1, 1), "{link}");
    assert!(!link.contains(['\r', '\n']), "{link}");
}
