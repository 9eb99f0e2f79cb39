//! Signatures as authenticators spell them (section 6.5.5): ECDSA as a DER sequence of two numbers, others as JWS does.

/// An ECDSA signature of P-256 as JWS spells it (RFC 7518 section 3.4): r and s, 32 bytes each. `None`: it is not in DER.
#[must_use]
pub fn fixed(der: &[u8]) -> Option<[u8; 64]> {
    // Two numbers of at most 33 bytes: every length is one byte.
    let (&length, body) = der.strip_prefix(&[0x30])?.split_first()?;
    if usize::from(length) != body.len() {
        return None;
    }
    let (r, rest) = number(body)?;
    let (s, rest) = number(rest)?;
    let mut both = [0; 64];
    let (left, right) = both.split_at_mut(32);
    left.copy_from_slice(&r);
    right.copy_from_slice(&s);
    rest.is_empty().then_some(both)
}

/// A number of at most 32 bytes, in its one spelling: not negative, no zero in front that is not needed.
fn number(bytes: &[u8]) -> Option<([u8; 32], &[u8])> {
    let (&length, rest) = bytes.strip_prefix(&[0x02])?.split_first()?;
    let (digits, rest) = rest.split_at_checked(usize::from(length))?;
    let digits = match digits {
        [] => return None,
        [0, next, ..] if *next < 0x80 => return None,
        [0, more @ ..] if !more.is_empty() => more,
        [first, ..] if *first >= 0x80 => return None,
        digits => digits,
    };
    let mut whole = [0; 32];
    let at = whole.len().checked_sub(digits.len())?;
    whole.get_mut(at..)?.copy_from_slice(digits);
    Some((whole, rest))
}
