//! Tests that stand beside the rules, from their document. The worker has no use for them: what builds it leaves them out, and [`super::Config::parse`]
//! passes over them.

use serde_json::Value;

use crate::config::document::TestDocument;
use crate::config::{ConfigError, mistake, tree};
use crate::json::of_document;

/// The tests of a document.
#[derive(Clone, Debug, Default)]
pub struct PolicyTests {
    /// Those beside each route, in the order of the routes.
    pub beside: Vec<Vec<TestDocument>>,
    /// Those beside none.
    pub others: Vec<TestDocument>,
}

impl PolicyTests {
    /// Reads the tests of a document, and nothing else of it. Checks their shape; does **not** check what they mean.
    ///
    /// # Errors
    /// The document is no JSON, or what is wrong with the first test of each place where one is.
    pub fn read(text: &str) -> Result<Self, Vec<ConfigError>> {
        let mut document = tree(text)?;
        let mut problems = Vec::new();
        let mut take = |holder: Option<&mut Value>, path: &str| -> Vec<TestDocument> {
            let tests = holder.and_then(Value::as_object_mut).and_then(|members| members.remove("tests"));
            let read = tests.map_or(Ok(Vec::new()), of_document);
            read.unwrap_or_else(|(within, problem)| {
                problems.push(mistake(&format!("{path}{within}"), &problem));
                Vec::new()
            })
        };
        let others = take(Some(&mut document), "tests");
        let routes = document.get_mut("routes").and_then(Value::as_array_mut).into_iter().flatten();
        let beside = routes.enumerate().map(|(at, route)| take(Some(route), &format!("routes[{at}].tests")));
        let tests = Self { beside: beside.collect(), others };
        if problems.is_empty() { Ok(tests) } else { Err(problems) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const GOOD: &str = r#"{ "routes": [
        { "id": "a", "methods": ["GET"], "path": "/a", "anonymous": true, "to": { "service": "A" },
          "tests": [{ "request": { "path": "/a" }, "expect": { "decision": "pass" } }] }
    ], "tests": [{ "request": { "path": "/b" }, "token": { "claims": { "exp": 1.5, "a": null } }, "expect": { "decision": "refuse", "headers": { "x": null } } }] }"#;

    fn errors(from: &str, to: &str) -> Vec<String> {
        assert!(GOOD.contains(from), "{from}");
        let text = GOOD.replacen(from, to, 1);
        assert!(Config::parse(&text).is_ok(), "the worker passes over what decides nothing: {to}");
        PolicyTests::read(&text).err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn tests_are_read_beside_their_routes() {
        let tests = PolicyTests::read(GOOD).unwrap();
        assert_eq!((tests.beside.len(), tests.beside[0].len(), tests.others.len()), (1, 1, 1));
        assert_eq!(tests.others[0].token.as_ref().unwrap().claims["a"], Value::Null);
        assert_eq!(tests.others[0].expect.headers["x"], None);
    }

    #[test]
    fn a_mistake_in_a_test_has_its_place_and_a_mend() {
        for (from, to, want) in [
            (
                r#""path": "/a" }, "expect""#,
                r#""path": "/a" }, "expekt": 1, "expect""#,
                "routes[0].tests[0].expekt: unknown field `expekt`, expected one of `name`, `request`, `token`, `expect`; remove it",
            ),
            (r#""decision": "pass""#, "", "routes[0].tests[0].expect: missing field `decision`; add it"),
            (r#""pass""#, r#""passes""#, "routes[0].tests[0].expect.decision: unknown variant `passes`"),
            (r#""headers": { "x": null }"#, r#""heads": {}"#, "tests[0].expect.heads: unknown field `heads`"),
            (r#""claims": { "exp""#, r#""claim": { "exp""#, "tests[0].token.claim: unknown field `claim`"),
            (
                r#""tests": [{ "request": { "path": "/b" }"#,
                r#""tests": [{ "request": {}"#,
                "tests[0].request: missing field `path`",
            ),
            (
                r#""tests": [{ "request": { "path": "/a" }, "expect": { "decision": "pass" } }]"#,
                r#""tests": {}"#,
                "routes[0].tests: invalid type: map",
            ),
        ] {
            let errors = errors(from, to);
            assert!(errors.iter().any(|error| error.starts_with(want)), "{want}\n{errors:#?}");
        }
        let twice = GOOD.replacen(r#""path": "/b""#, r#""path": "/b", "path": "/c""#, 1);
        assert!(Config::parse(&twice).is_err(), "no member stands twice, also where nobody reads it");
    }
}
