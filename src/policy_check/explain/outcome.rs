//! What a caller gets who is refused, and what an upstream gets of a request that passes: without what is nobody's to read.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::gateway::Onward;
use crate::http::Answer;
use crate::policy_check::run::REQUEST_ID;
use crate::policy_check::shown;

/// The answer to a request that is refused.
#[derive(Debug, Serialize)]
pub(super) struct Refusal {
    pub(super) status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) www_authenticate: Option<String>,
    pub(super) body: String,
}

/// What the upstream gets.
#[derive(Debug, Serialize)]
pub(super) struct Sent {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) binding: Option<String>,
    pub(super) url: String,
    /// Headers that tollgate sets.
    pub(super) set: BTreeMap<String, String>,
    /// Headers of the caller's that stay here.
    pub(super) removed: Vec<String>,
    /// The fields of the answer that come back; all of them where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fields: Option<Vec<String>>,
}

pub(super) fn refusal(answer: &Answer) -> Refusal {
    Refusal {
        status: answer.status,
        www_authenticate: answer.header("WWW-Authenticate").map(str::to_owned),
        body: answer.body.clone(),
    }
}

pub(super) fn sent(onward: &Onward) -> Sent {
    let value = |name: &str, value: &str| match name {
        "cookie" => "(the cookies that are left)".to_owned(),
        _ if value == REQUEST_ID => "(drawn for each request)".to_owned(),
        _ => shown(value),
    };
    let mut removed: Vec<_> = onward.remove.iter().map(|name| shown(name)).collect();
    removed.sort();
    Sent {
        binding: onward.binding.clone(),
        url: without_token(&onward.url),
        set: onward.set.iter().map(|(name, said)| (name.to_string(), value(name, said))).collect(),
        removed,
        fields: onward.seen.clone(),
    }
}

/// An address for people: what stands in it as a token is not shown.
pub(super) fn without_token(url: &str) -> String {
    let Some((before, query)) = url.split_once('?') else { return shown(url) };
    let hidden = |pair: &str| {
        let name = form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name.into_owned());
        if name.as_deref() == Some("access_token") {
            "access_token=(hidden)".to_owned()
        } else {
            pair.to_owned()
        }
    };
    let query: Vec<_> = query.split('&').map(hidden).collect();
    shown(&format!("{before}?{}", query.join("&")))
}
