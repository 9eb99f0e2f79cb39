//! Fail closed: whatever of ours breaks, nothing passes, the answer is 503 and says nothing.

use super::{CONFIG, register, token, token_request};
use crate::fakes::{Broken, Call, Reply, World, call};

fn is_unavailable(reply: &Reply) -> bool {
    let answer = reply.answer();
    answer.status == 503
        && answer.header("retry-after").is_some()
        && answer.header("www-authenticate").is_none()
        && !answer.body.contains("fault")
}

#[test]
fn a_fresh_edge_with_a_broken_port_lets_nothing_through() {
    for broken in Broken::ALL {
        let world = World::new(CONFIG);
        let token = token(&world.edge(), "test", "orders:read");
        world.broken.set(Some(broken));
        let (reply, _) = call(&world.edge(), &Call::get("https://edge.example/orders/1").bearer(&token));
        let needed = [Broken::Keyrings, Broken::PrincipalsAfter, Broken::PrincipalsBefore, Broken::Verifier]
            .contains(&broken);
        if needed {
            assert!(is_unavailable(&reply), "{broken:?} {reply:?}");
            assert!(
                world.log.borrow().iter().any(|line| line.contains(r#""decision":"fault""#)),
                "{broken:?}"
            );
        } else {
            assert_eq!(reply.status(), 200, "{broken:?} is not on this way");
        }
        // A token that may not pass is not let through by trouble either.
        let (reply, _) = call(&world.edge(), &Call::get("https://edge.example/admin").bearer(&token));
        assert_ne!(reply.status(), 200, "{broken:?}");
    }
}

#[test]
fn no_token_is_issued_while_anything_that_it_needs_is_broken() {
    for broken in Broken::ALL {
        let world = World::new(CONFIG);
        let edge = world.edge();
        let client = register(&edge, "test", "orders:read", r#""client_credentials""#);
        world.broken.set(Some(broken));
        let (reply, _) = call(&edge, &token_request("test", &client, ""));
        let aside =
            [Broken::DirectoryAfter, Broken::DirectoryBefore, Broken::Mailer, Broken::Verifier, Broken::Web];
        if aside.contains(&broken) {
            assert_eq!(reply.status(), 200, "{broken:?} is not on this way");
        } else {
            assert!(is_unavailable(&reply), "{broken:?} {reply:?}");
        }
    }
}

#[test]
fn no_client_is_shown_that_could_not_be_kept() {
    for broken in [Broken::Entropy, Broken::PrincipalsAfter, Broken::PrincipalsBefore] {
        let world = World::new(CONFIG);
        world.broken.set(Some(broken));
        let request = Call::json("https://edge.example/test/api/v1/clients", r#"{"client_name":"Test"}"#)
            .bearer("operator");
        let (reply, _) = call(&world.edge(), &request);
        assert!(is_unavailable(&reply), "{broken:?} {reply:?}");
    }
}

/// A crash, or trouble, between what counts and its copies heals by itself.
#[test]
fn copies_that_were_not_taken_are_made_later() {
    for broken in [Broken::Kv, Broken::DirectoryBefore, Broken::DirectoryAfter] {
        let world = World::new(CONFIG);
        let edge = world.edge();
        world.broken.set(Some(broken));
        let client = register(&edge, "test", "orders:read", r#""client_credentials""#);
        world.broken.set(None);
        let listed = || {
            let reply =
                call(&edge, &Call::get("https://edge.example/test/api/v1/clients").bearer("operator")).0;
            reply.answer().body.contains(&client.0)
        };
        assert_eq!(listed(), broken == Broken::DirectoryAfter, "{broken:?}");
        let granted = || call(&world.edge(), &token_request("test", &client, "")).0.status();
        assert_eq!(granted(), if broken == Broken::Kv { 401 } else { 200 }, "{broken:?}");
        world.tell_all();
        assert!(listed(), "{broken:?}");
        assert_eq!(granted(), 200, "{broken:?}");
    }
}

#[test]
fn forward_auth_is_503_as_well() {
    let world = World::new(CONFIG);
    let token = token(&world.edge(), "test", "orders:read");
    world.broken.set(Some(Broken::PrincipalsBefore));
    let request = Call::get("https://edge.example/_tollgate/check")
        .header("x-original-method", "GET")
        .header("x-original-uri", "/orders/1")
        .bearer(&token);
    assert!(is_unavailable(&call(&world.edge(), &request).0));
}

#[test]
fn no_key_is_changed_or_shown_that_nobody_answers_for() {
    for what in ["", "/rotate", "/promote"] {
        let world = World::new(CONFIG);
        world.broken.set(Some(Broken::Keyrings));
        let at = format!("https://edge.example/test/api/v1/keys{what}");
        let request = if what.is_empty() { Call::get(at) } else { Call::json(at, "") };
        let (reply, _) = call(&world.edge(), &request.bearer("operator"));
        assert!(is_unavailable(&reply), "{what} {reply:?}");
    }
}
