//! `application/x-www-form-urlencoded` bodies, in which a parameter stands at most once, but for `resource`.

use std::collections::BTreeMap;

use crate::http::{ErrorCode, OauthError};
use crate::secret::Secret;

/// The one parameter that may stand more than once (RFC 8707 section 2).
const RESOURCE: &str = "resource";

/// A form. Values are kept from printing: some are secrets.
pub struct Form {
    members: BTreeMap<String, Secret>,
    resources: Vec<String>,
}

impl Form {
    /// Reads a body. Parameters with an empty value count as absent (RFC 6749 section 3.2).
    ///
    /// # Errors
    /// `invalid_request` for another content type or a repeated parameter. That holds for parameters that are not
    /// known as well (RFC 6749 section 3.2), so that no later reader can pick another one.
    pub fn parse(content_type: Option<&str>, body: &[u8]) -> Result<Self, OauthError> {
        let media = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
        if !media.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(OauthError::new(ErrorCode::InvalidRequest, "send application/x-www-form-urlencoded"));
        }
        Self::of(body)
    }

    /// Reads the parameters of a query (RFC 6749 section 3.1), by the same rules.
    ///
    /// # Errors
    /// `invalid_request` for a repeated parameter.
    pub fn of_query(query: &str) -> Result<Self, OauthError> {
        Self::of(query.as_bytes())
    }

    fn of(text: &[u8]) -> Result<Self, OauthError> {
        let (mut members, mut resources) = (BTreeMap::new(), Vec::new());
        for (name, value) in form_urlencoded::parse(text) {
            if name == RESOURCE {
                resources.extend(Some(value.into_owned()).filter(|value| !value.is_empty()));
                continue;
            }
            if members.contains_key(name.as_ref()) {
                return Err(OauthError::new(ErrorCode::InvalidRequest, "a parameter stands more than once"));
            }
            members.insert(name.into_owned(), Secret::new(value.into_owned().into_bytes()));
        }
        members.retain(|_, value| !value.reveal().is_empty());
        Ok(Self { members, resources })
    }

    /// Every `resource`, in the order of the form (RFC 8707 section 2).
    pub fn resources(&self) -> impl Iterator<Item = &str> {
        self.resources.iter().map(String::as_str)
    }

    /// The name of every parameter, but for `resource`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.keys().map(String::as_str)
    }

    /// A parameter's value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(|value| std::str::from_utf8(value.reveal()).ok())
    }
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Form(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPE: Option<&str> = Some("application/x-www-form-urlencoded; charset=UTF-8");

    #[test]
    fn attack_64_a_repeated_parameter_or_another_content_type_is_invalid_request() {
        for (kind, body) in
            [(TYPE, "a=1&a=1"), (TYPE, "a=1&%61=2"), (None, "a=1"), (Some("application/json"), "{}")]
        {
            assert_eq!(
                Form::parse(kind, body.as_bytes()).unwrap_err().code,
                ErrorCode::InvalidRequest,
                "{body}"
            );
        }
    }

    #[test]
    fn rfc8707_section_2_resource_may_stand_more_than_once() {
        let form =
            Form::parse(TYPE, b"resource=https%3A%2F%2Fa.example&resource=&resource=https%3A%2F%2Fb.example")
                .unwrap();
        assert_eq!(form.resources().collect::<Vec<_>>(), ["https://a.example", "https://b.example"]);
        assert_eq!(form.get("resource"), None);
    }

    #[test]
    fn rfc6749_section_3_2_an_empty_parameter_is_absent() {
        let form = Form::parse(TYPE, b"a=&b=x+y%26z").unwrap();
        assert_eq!((form.get("a"), form.get("b"), form.get("c")), (None, Some("x y&z"), None));
    }
}
