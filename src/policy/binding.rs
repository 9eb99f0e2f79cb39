//! What a route's tokens have to be bound to.

use crate::token::Confirmation;

/// What a token has to be bound to, so that whoever has stolen it alone has nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Binding {
    /// A key or a certificate.
    Any,
    /// The certificate of the client's connection (RFC 8705 section 3).
    Certificate,
    /// A key that each request proves (RFC 9449).
    Key,
}

impl Binding {
    /// Whether a token that is bound so will do. Does **not** check that whoever presents it has proved anything.
    #[must_use]
    pub const fn is_met(self, confirmation: Confirmation) -> bool {
        use Confirmation as C;
        match self {
            Self::Any => !matches!(confirmation, C::Bearer),
            Self::Certificate => matches!(confirmation, C::Certificate(_) | C::KeyAndCertificate(..)),
            Self::Key => matches!(confirmation, C::Key(_) | C::KeyAndCertificate(..)),
        }
    }
}
