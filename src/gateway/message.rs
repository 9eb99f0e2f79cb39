//! The body of a request to an MCP server, where a route says which tools may be called: one JSON-RPC message.
//!
//! It is read whole, for the name of the tool, and goes on byte for byte. So it has to be one that no server reads in another way: what is
//! refused here is refused in case of doubt.
//!
//! **Out of scope**: whether the message is good in any other respect. The server says that.

use crate::error::{Denied, Error};
use crate::gateway::Target;
use crate::json::{Object, Value, object};
use crate::policy::{ScopeNeed, Tools};
use crate::port::Body;

/// The longest message that is read.
const LIMIT: usize = 1024 * 1024;

/// The members of a message (JSON-RPC 2.0 sections 4 and 5). Some readers match names without regard to case, so another spelling of one of these would
/// be a second method; there is nothing else to be said.
const MEMBERS: [&str; 6] = ["error", "id", "jsonrpc", "method", "params", "result"];

/// The method by which a tool is called.
const CALL: &str = "tools/call";

/// The member of its parameters that says which.
const NAME: &str = "name";

/// The message of a request, and what it needs besides what the route needs.
pub(super) struct Message<'c> {
    pub(super) text: String,
    pub(super) needs: &'c [ScopeNeed],
}

/// Reads the message of a request; `None`: it brings none.
///
/// # Errors
/// [`Denied::ExceedMessage`], [`Denied::MalformMessage`], [`Denied::NoTool`].
pub(super) async fn read<'c>(
    tools: &'c Tools,
    target: &Target<'_>,
    body: &mut impl Body,
) -> Result<Option<Message<'c>>, Error> {
    if !is_due(target)? {
        return Ok(None);
    }
    let bytes = body.read(LIMIT).await?.ok_or(Denied::ExceedMessage)?;
    let needs = needs(tools, target, &bytes)?;
    let text = String::from_utf8(bytes).map_err(|_| Denied::MalformMessage)?;
    Ok(Some(Message { text, needs }))
}

/// Whether a request brings a message, or might. Not inlined, as what follows: both ways to a decision have a copy of what is.
#[inline(never)]
fn is_due(target: &Target<'_>) -> Result<bool, Denied> {
    // In another protocol messages would come that nobody looks into.
    if target.header("upgrade").is_some() {
        return Err(Denied::MalformMessage);
    }
    Ok(target.method == "POST" || target.has_body)
}

/// What a message needs.
#[inline(never)]
fn needs<'c>(tools: &'c Tools, target: &Target<'_>, bytes: &[u8]) -> Result<&'c [ScopeNeed], Denied> {
    // Nothing is a body too, for the platform.
    if target.method != "POST" && bytes.is_empty() {
        return Ok(&[]);
    }
    if !is_plain_json(target) {
        return Err(Denied::MalformMessage);
    }
    match tool(bytes).map_err(|Malformed| Denied::MalformMessage)? {
        Some(name) => tools.needs(&name).ok_or(Denied::NoTool),
        None => Ok(&[]),
    }
}

/// Whether the body is JSON as it stands: in UTF-8, and with no coding that would make something else of it.
fn is_plain_json(target: &Target<'_>) -> bool {
    let media = target.header("content-type").unwrap_or_default();
    let plain = ["application/json", "application/json; charset=utf-8", "application/json;charset=utf-8"];
    plain.iter().any(|plain| media.eq_ignore_ascii_case(plain)) && target.header("content-encoding").is_none()
}

/// It is no message.
#[derive(Debug, Eq, PartialEq)]
struct Malformed;

/// The tool that a message calls, if it calls one.
fn tool(bytes: &[u8]) -> Result<Option<String>, Malformed> {
    // One object: batches are no longer part of the protocol.
    let message = object(bytes).map_err(|_| Malformed)?;
    if !message.iter().all(|(name, _)| MEMBERS.contains(&name)) {
        return Err(Malformed);
    }
    let Some(method) = message.get("method") else {
        return Ok(None);
    };
    if method.as_text().ok_or(Malformed)? != CALL {
        return Ok(None);
    }
    let params = message.get("params").and_then(|params| params.as_object()).ok_or(Malformed)?;
    let name = only(params, NAME).and_then(|name| name.as_text()).ok_or(Malformed)?;
    Ok(Some(name.to_owned()))
}

/// The member of this name, where no other spelling of it is there.
fn only<'o, 'a>(object: &'o Object<'a>, name: &str) -> Option<&'o Value<'a>> {
    let is_other = |(known, _): (&str, _)| known != name && known.eq_ignore_ascii_case(name);
    if object.iter().any(is_other) { None } else { object.get(name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tool_is_found_where_every_reader_finds_it() {
        for (message, found) in [
            (
                r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"name":"b"}}}"#,
                Some("a"),
            ),
            (r#"{"params":{"name":"\u0061"},"method":"tools\/call"}"#, Some("a")),
            (r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#, None),
            (r#"{"jsonrpc":"2.0","method":"notifications/initialized","params":{"NAME":1}}"#, None),
            (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, None),
        ] {
            assert_eq!(tool(message.as_bytes()), Ok(found.map(str::to_owned)), "{message}");
        }
    }

    #[test]
    fn what_two_readers_could_read_differently_is_no_message() {
        for message in [
            "",
            "null",
            r#"[{"method":"tools/call","params":{"name":"a"}}]"#,
            r#"{"method":"tools/list","method":"tools/call","params":{"name":"a"}}"#,
            r#"{"method":"tools/list","Method":"tools/call","params":{"name":"a"}}"#,
            r#"{"method":"tools/call","params":{"name":"a"},"Params":{"name":"b"}}"#,
            "{\"method\":\"tools/call\",\"params\":{\"name\":\"a\"},\"param\u{17f}\":{\"name\":\"b\"}}",
            r#"{"method":"tools/call","params":{"name":"a","Name":"b"}}"#,
            r#"{"method":"tools/call","params":{"name":"a","name":"b"}}"#,
            r#"{"method":"tools/call","params":{"name":["a"]}}"#,
            r#"{"method":"tools/call","params":["a"]}"#,
            r#"{"method":"tools/call"}"#,
            r#"{"method":["tools/call"],"params":{"name":"a"}}"#,
            "\u{feff}{\"method\":\"tools/list\"}",
            r#"{"method":"tools/list"} {"method":"tools/call","params":{"name":"a"}}"#,
        ] {
            assert_eq!(tool(message.as_bytes()), Err(Malformed), "{message}");
        }
    }
}
