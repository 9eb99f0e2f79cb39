//! How, and how recently, the person has to have signed in whom a token speaks for (RFC 9470).

use crate::error::{Denied, SignInNeed};
use crate::time::{Lifetime, Timestamp};
use crate::token::Claims;

/// What a route asks of a sign-in. Nothing, by default.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StepUp(pub SignInNeed);

impl StepUp {
    /// Whether it asks for anything.
    #[must_use]
    pub const fn asks(&self) -> bool {
        !self.0.acr.is_empty() || self.0.max_age.is_some()
    }

    /// Checks what a token says of the sign-in. One that says nothing has none; one that lies ahead proves nothing. A sign-in
    /// counts until it is older than the longest age and the leeway.
    ///
    /// # Errors
    /// [`Denied::LackAuthentication`], with all that the route asks for.
    pub fn check(&self, claims: &Claims, leeway: Lifetime, now: Timestamp) -> Result<(), Denied> {
        let SignInNeed { acr, max_age } = &self.0;
        let is_such = acr.is_empty() || claims.acr.as_ref().is_some_and(|said| acr.contains(said));
        let is_recent = max_age.is_none_or(|age| {
            claims.auth_time.is_some_and(|at| at <= now.after(leeway) && now.since(at) <= age.plus(leeway))
        });
        if is_such && is_recent {
            return Ok(());
        }
        Err(Denied::LackAuthentication(Box::new(self.0.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(acr: &[&str], max_age: Option<u64>, said: &str, now: u64) -> bool {
        let acr = acr.iter().map(|&acr| acr.to_owned()).collect();
        let need = SignInNeed { acr, max_age: max_age.map(Lifetime::from_seconds) };
        let step_up = StepUp(need.clone());
        let claims = Claims::parse(format!(r#"{{"iss":"i","sub":"s"{said}}}"#).as_bytes()).unwrap();
        let checked = step_up.check(&claims, Lifetime::from_seconds(5), Timestamp::from_millis(now));
        assert!(checked.is_ok() || checked == Err(Denied::LackAuthentication(Box::new(need))));
        checked.is_ok()
    }

    #[test]
    fn rfc9470_section_4_acr_is_one_of_those_that_the_route_names() {
        assert!(check(&["a", "b"], None, r#","acr":"b""#, 0));
        for said in
            ["", r#","acr":"c""#, r#","acr":"A""#, r#","acr":"a b""#, r#","acr":["a"]"#, r#","acr":"""#]
        {
            assert!(!check(&["a", "b"], None, said, 0), "{said}");
            assert!(check(&[], None, said, 0), "{said}");
        }
    }

    #[test]
    fn rfc9470_section_4_auth_time_is_at_most_so_long_ago() {
        let said = r#","auth_time":100"#;
        for (now, is_good) in
            [(94_999, false), (95_000, true), (100_000, true), (165_000, true), (165_001, false)]
        {
            assert_eq!(check(&[], Some(60), said, now), is_good, "{now}");
        }
        for said in ["", r#","auth_time":"100""#, r#","auth_time":null"#] {
            assert!(!check(&[], Some(60), said, 100_000), "{said}");
        }
    }

    #[test]
    fn rfc9470_section_3_where_both_are_asked_for_both_are_needed() {
        let both = |said| check(&["a"], Some(60), said, 100_000);
        assert!(both(r#","acr":"a","auth_time":100"#));
        assert!(!both(r#","acr":"a","auth_time":1"#) && !both(r#","acr":"b","auth_time":100"#));
    }
}
