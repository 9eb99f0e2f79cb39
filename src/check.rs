//! The checks of a request to a route, by name: for whoever has to say which of them failed.
//!
//! Whoever checks says what comes next ([`crate::port::Ports::begin`]); nobody listens at an edge, and nothing of it is compiled into a worker. `docs/architecture.md` has
//! the table.
//!
//! **Out of scope**: deciding. What a check finds is a [`crate::error::Denied`], and only that counts.

/// One check of a request.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Check {
    /// The path has one normal form.
    Path,
    /// The path is a route's, and none of tollgate's own.
    Owner,
    /// It came over TLS, or is for this machine.
    Https,
    /// A route matches.
    Route,
    /// No body where none belongs.
    Body,
    /// A form that the token may stand in.
    Form,
    /// There is one credential.
    Credential,
    /// The proof of possession that came with it.
    Proof,
    /// The token is no longer than one may be.
    Size,
    /// It can be read.
    Shape,
    /// Its issuer is trusted, and accepted by the route.
    Issuer,
    /// Its `typ` is among the issuer's.
    Type,
    /// Its `alg` is.
    Algorithm,
    /// Its claims are of their types.
    Claims,
    /// It is for us.
    Audience,
    /// Its time.
    Time,
    /// It is bound to no key, or to the one that was proved.
    Binding,
    /// The claims of an access token are all there.
    Complete,
    /// It says what the issuer's entry asks for.
    Required,
    /// It names a session, where it is of one of our realms.
    SessionName,
    /// The issuer has the key.
    Key,
    /// The signature is the key's.
    Signature,
    /// The issuer was asked, and says that it is active.
    Inquiry,
    /// What the issuer says of it: for us, and in time.
    Answer,
    /// The nonce of the proof.
    Nonce,
    /// It counts at the route's resource.
    Resource,
    /// It is bound as the route wants it.
    Bound,
    /// It grants the scopes.
    Scopes,
    /// Whoever it speaks for has signed in as the route wants it.
    SignIn,
    /// Its roles have one that the route asks for.
    Roles,
    /// Its claims fit into the headers that the route hands on.
    Headers,
    /// Its roles have abilities by which the route shows something.
    Abilities,
    /// The tool that is called is one of the route's, and the token grants its scopes.
    Tool,
    /// The caller has not called too often.
    Rate,
    /// Its session is alive.
    Session,
}

impl Check {
    /// Every check, in the order in which they are made.
    pub const ALL: [Self; 35] = [
        Self::Path,
        Self::Owner,
        Self::Https,
        Self::Route,
        Self::Body,
        Self::Form,
        Self::Credential,
        Self::Proof,
        Self::Size,
        Self::Shape,
        Self::Issuer,
        Self::Type,
        Self::Algorithm,
        Self::Claims,
        Self::Audience,
        Self::Time,
        Self::Binding,
        Self::Complete,
        Self::Required,
        Self::SessionName,
        Self::Key,
        Self::Signature,
        Self::Inquiry,
        Self::Answer,
        Self::Nonce,
        Self::Resource,
        Self::Bound,
        Self::Scopes,
        Self::SignIn,
        Self::Roles,
        Self::Headers,
        Self::Abilities,
        Self::Tool,
        Self::Rate,
        Self::Session,
    ];

    /// A stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Owner => "owner",
            Self::Https => "https",
            Self::Route => "route",
            Self::Body => "body",
            Self::Form => "form",
            Self::Credential => "credential",
            Self::Proof => "proof",
            Self::Size => "size",
            Self::Shape => "shape",
            Self::Issuer => "issuer",
            Self::Type => "type",
            Self::Algorithm => "algorithm",
            Self::Claims => "claims",
            Self::Audience => "audience",
            Self::Time => "time",
            Self::Binding => "binding",
            Self::Complete => "complete",
            Self::Required => "required",
            Self::SessionName => "session name",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Inquiry => "inquiry",
            Self::Answer => "answer",
            Self::Nonce => "nonce",
            Self::Resource => "resource",
            Self::Bound => "bound",
            Self::Scopes => "scopes",
            Self::SignIn => "sign-in",
            Self::Roles => "roles",
            Self::Headers => "headers",
            Self::Abilities => "abilities",
            Self::Tool => "tool",
            Self::Rate => "rate",
            Self::Session => "session",
        }
    }

    /// Whether this check may end with this reason ([`crate::error::Denied::code`]) about this claim. Some reasons are of several checks: then it was the last of those that were begun.
    #[must_use]
    pub fn fails_as(self, reason: &str, claim: Option<&str>) -> bool {
        match (reason, claim) {
            ("expire_idle" | "end_session", _) => self == Self::Session,
            ("expire_token" | "exceed_lifetime" | "too_early", _) | ("lack_claim", Some("exp")) => {
                matches!(self, Self::Time | Self::Answer)
            }
            ("exceed_form", _) => self == Self::Form,
            ("inactive_token", _) => matches!(self, Self::Inquiry | Self::Answer),
            ("lack_ability", _) => self == Self::Abilities,
            ("lack_claim" | "malform_claim", Some("iss")) | ("reject_issuer" | "untrusted_issuer", _) => {
                self == Self::Issuer
            }
            ("lack_claim" | "malform_claim", Some("sid")) => self == Self::SessionName,
            ("malform_claim", Some("to.headers")) => self == Self::Headers,
            ("lack_claim", Some("sub")) | ("malform_claim", _) => self == Self::Claims,
            ("lack_claim", _) => matches!(self, Self::Complete | Self::Answer | Self::Session),
            ("lack_nonce", _) => self == Self::Nonce,
            ("lack_required", _) => self == Self::Required,
            ("exceed_message" | "malform_message" | "no_tool", _) => self == Self::Tool,
            ("exceed_rate", _) => self == Self::Rate,
            ("lack_authentication", _) => self == Self::SignIn,
            ("lack_binding", _) => self == Self::Bound,
            ("lack_role", _) => self == Self::Roles,
            ("lack_scope", _) => matches!(self, Self::Scopes | Self::Tool),
            ("malform_credentials", _) => matches!(self, Self::Form | Self::Credential),
            ("malform_host" | "malform_path", _) => self == Self::Path,
            ("malform_token" | "reject_critical", _) => self == Self::Shape,
            ("miss_token", _) => self == Self::Credential,
            ("no_route", _) => matches!(self, Self::Owner | Self::Route),
            ("refuse_http", _) => self == Self::Https,
            ("refuse_unbound" | "refuse_unproven", _) => self == Self::Binding,
            ("reject_algorithm", _) => self == Self::Algorithm,
            ("reject_audience", _) => matches!(self, Self::Audience | Self::Answer | Self::Resource),
            ("reject_proof", Some("jti")) => matches!(self, Self::Proof | Self::Session),
            ("reject_proof", Some("jkt")) => matches!(self, Self::Proof | Self::Binding),
            ("reject_proof", _) => self == Self::Proof,
            ("reject_signature", _) => self == Self::Signature,
            ("reject_size", _) => matches!(self, Self::Size | Self::Shape),
            ("reject_type", _) => self == Self::Type,
            ("unexpected_body", _) => self == Self::Body,
            ("unknown_key", _) => matches!(self, Self::Shape | Self::Key),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_is_listed_once_in_the_order_of_its_declaration() {
        assert!(Check::ALL.is_sorted());
        let names: std::collections::BTreeSet<_> = Check::ALL.iter().map(|check| check.name()).collect();
        assert_eq!(names.len(), Check::ALL.len());
    }

    #[test]
    fn every_reason_is_one_of_a_check() {
        let codes = include_str!("error.rs")
            .lines()
            .filter_map(|line| line.split_once("=> \"")?.1.strip_suffix("\","));
        let codes: Vec<_> = codes.collect();
        assert!(codes.len() > 30, "{codes:?}");
        // The check endpoint's own: no request to a route ends so.
        for code in codes.iter().filter(|code| **code != "not_redacted") {
            assert!(Check::ALL.iter().any(|check| check.fails_as(code, None)), "{code}");
        }
    }
}
