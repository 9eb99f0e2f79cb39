//! GitHub: OAuth, and an API that says whose an access token is. There is no ID token, no `nonce` and no metadata; PKCE binds the code to this browser.
//!
//! The token is from GitHub's own token endpoint, over TLS, for a code and a secret of ours: nobody else's token gets here, and it is used once
//! and forgotten.

use crate::config::Provider;
use crate::error::Fault;
use crate::id::Subject;
use crate::json::Value;
use crate::people::federation::exchange::{Answered, Told, bearing, code, object, redeem};
use crate::people::federation::{Failed, Named, Stopped};
use crate::people::visit::Visit;
use crate::port::Ports;
use crate::principal::{Federated, Profile};
use crate::uri::WebUrl;
use crate::validator::profile_of;

/// Where people allow it.
pub(super) const AUTHORIZE: &str = "https://github.com/login/oauth/authorize";

/// Where a code is redeemed.
const TOKEN: &str = "https://github.com/login/oauth/access_token";

/// Who the person is.
const USER: &str = "https://api.github.com/user";

/// The largest number that every reader of JSON reads exactly (RFC 8259 section 6).
const EXACT: f64 = 9_007_199_254_740_991.0;

fn address(text: &str) -> Result<WebUrl, Fault> {
    text.parse().map_err(|_| Fault::new("read answer", "a constant is no address"))
}

/// The person whom GitHub names.
pub(super) async fn named<P: Ports>(
    visit: &Visit<'_, P>,
    provider: &Provider,
    answered: Answered<'_>,
) -> Result<Named, Stopped> {
    let code = code(answered.form)?;
    let reply = redeem(visit.ports, provider, &address(TOKEN)?, code, answered).await?;
    // An error has status 200 here.
    let members = object(&reply.body)?;
    if members.has("error") {
        return Err(Failed::refused("invalid_grant").into());
    }
    let is_bearer = |kind: &str| kind.eq_ignore_ascii_case("bearer");
    let token = members.get("access_token").and_then(Value::as_text);
    let token = token.filter(|_| members.get("token_type").and_then(Value::as_text).is_some_and(is_bearer));
    let token = token.ok_or_else(|| Failed::refused("no_access_token"))?;
    let user = bearing(visit.ports, &address(USER)?, token).await?;
    let user = object(&user.body)?;
    let subject = user.get("id").and_then(Value::as_number).and_then(number);
    let subject = subject.ok_or_else(|| Failed::refused("no_id"))?;
    // It does not say here whether the address was verified.
    let profile = Profile { email_verified: false, ..profile_of(&user) };
    let who = Federated { issuer: provider.issuer.clone(), subject };
    Ok(Named { who, auth_time: None, profile: Told::Already(profile) })
}

/// The number of an account: unlike its name, it is never given to somebody else.
fn number(id: f64) -> Option<Subject> {
    let is_exact = (1.0..=EXACT).contains(&id) && id.fract() == 0.0;
    is_exact.then(|| format!("{id:.0}").parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_a_whole_number() {
        assert_eq!(number(583_231.0).unwrap().as_str(), "583231");
        assert_eq!(number(EXACT).unwrap().as_str(), "9007199254740991");
        for none in [0.0, -1.0, 1.5, EXACT + 1.0, 1e300] {
            assert_eq!(number(none), None, "{none}");
        }
    }

    #[test]
    fn the_constants_are_addresses() {
        for text in [AUTHORIZE, TOKEN, USER] {
            assert_eq!(address(text).unwrap().as_str(), text);
        }
    }
}
