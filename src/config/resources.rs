//! The protected resources, from their document.

use crate::config::Problems;
use crate::config::document::ResourceDocument;
use crate::policy::Resource;
use crate::uri::{Issuer, WebUrl};

pub(super) fn resources(documents: &[ResourceDocument], problems: &mut Problems) -> Vec<Resource> {
    let mut known: Vec<Resource> = Vec::new();
    for (at, document) in documents.iter().enumerate() {
        let path = format!("resources[{at}]");
        let Some(resource) = resource(&path, document, problems) else {
            continue;
        };
        if known.iter().any(|other| other.meets(&resource)) {
            let mend = "a resource of this host and path is listed already; keep one entry";
            problems.add(format_args!("{path}.resource"), mend);
        }
        known.push(resource);
    }
    known
}

fn resource(path: &str, document: &ResourceDocument, problems: &mut Problems) -> Option<Resource> {
    let at = format!("{path}.resource");
    // An identifier of the same kind as an issuer's: one exact text without query or fragment.
    let id: Issuer = problems.take(&at, document.resource.parse())?;
    if id.is_plain_http() && !id.is_loopback() {
        problems.add(&at, "is plain http; use https");
    }
    if let Some(documentation) = &document.documentation {
        problems.take(format_args!("{path}.documentation"), documentation.parse::<WebUrl>());
    }
    problems.take(&at, Resource::new(id, document.name.clone(), document.documentation.clone()))
}
