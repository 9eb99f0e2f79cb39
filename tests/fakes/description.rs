//! What `docs/openapi.json` says of the management API, and whether an exchange is as it says.
//!
//! Every request of the native tests to the API comes by here ([`super::call`]): an answer that is not described fails the test that got it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Map, Value, json};
use tollgate::api::Operation;
use tollgate::http::Answer;
use tollgate::oauth::{Endpoint, Routed};
use tollgate::uri::RequestPath;

/// Where the API is, below its realm.
pub(crate) const API: &str = "/api/v1";

/// Headers that any answer may have.
const EVERYWHERE: [&str; 4] = ["cache-control", "content-type", "pragma", "strict-transport-security"];

/// One operation, as it is described.
pub(crate) struct Described {
    pub(crate) method: String,
    /// Below [`API`].
    pub(crate) path: String,
    pub(crate) name: String,
    /// The security schemes that it names, each with its scopes.
    pub(crate) security: Vec<(String, Vec<String>)>,
    /// Each with its `$ref` followed.
    pub(crate) parameters: Vec<Value>,
    /// The example of its body.
    pub(crate) example: Option<Value>,
    /// The schema of its body.
    pub(crate) body: Option<Value>,
    body_shape: Option<Validator>,
    answers: BTreeMap<u16, Answered>,
}

struct Answered {
    content: BTreeMap<String, Validator>,
    headers: Vec<(String, bool, Validator)>,
}

/// The document.
pub(crate) struct Description {
    pub(crate) document: Value,
    pub(crate) operations: Vec<Described>,
}

static DESCRIPTION: LazyLock<Description> = LazyLock::new(|| {
    let text = std::fs::read_to_string("docs/openapi.json").unwrap();
    Description::read(serde_json::from_str(&text).unwrap())
});

/// The document that is served.
pub(crate) fn description() -> &'static Description {
    &DESCRIPTION
}

/// Reads a schema of a document. What an answer has, and its schema not, is a mistake.
fn shape(schema: &Value, components: &Value, is_answer: bool) -> Validator {
    let mut whole = json!({ "allOf": [schema], "components": components });
    if is_answer {
        close(&mut whole);
    }
    jsonschema::options()
        .should_validate_formats(true)
        .build(&whole)
        .unwrap_or_else(|e| panic!("{schema}: {e}"))
}

fn close(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.contains_key("properties") && !members.contains_key("additionalProperties") {
                members.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

impl Description {
    fn read(document: Value) -> Self {
        let operations = members(&document["paths"])
            .flat_map(|(path, methods)| members(methods).map(move |(method, said)| (path, method, said)))
            .map(|(path, method, said)| Self::operation(&document, path, method, said))
            .collect();
        Self { document, operations }
    }

    /// What a value refers to.
    fn followed<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
        let Some(to) = value["$ref"].as_str() else { return value };
        document.pointer(to.strip_prefix('#').unwrap()).unwrap_or_else(|| panic!("{to} is nowhere"))
    }

    fn operation(document: &Value, path: &str, method: &str, said: &Value) -> Described {
        let components = &document["components"];
        let content = &said["requestBody"]["content"]["application/json"];
        let body = content.get("schema").cloned();
        let security = said["security"].as_array().unwrap_or_else(|| panic!("{path}: no security"));
        let names = |scopes: &Value| -> Vec<String> { serde_json::from_value(scopes.clone()).unwrap() };
        let answers = members(&said["responses"]).map(|(status, answer)| {
            (status.parse().unwrap(), Self::answer(document, Self::followed(document, answer)))
        });
        Described {
            method: method.to_uppercase(),
            path: path.to_owned(),
            name: said["operationId"].as_str().unwrap().to_owned(),
            security: security
                .iter()
                .flat_map(members)
                .map(|(name, scopes)| (name.clone(), names(scopes)))
                .collect(),
            parameters: said["parameters"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|parameter| Self::followed(document, parameter).clone())
                .collect(),
            example: content.get("example").cloned(),
            body_shape: body.as_ref().map(|schema| shape(schema, components, false)),
            body,
            answers: answers.collect(),
        }
    }

    fn answer(document: &Value, said: &Value) -> Answered {
        let components = &document["components"];
        let content = members(&said["content"])
            .map(|(kind, media)| (kind.clone(), shape(&media["schema"], components, true)));
        let headers = members(&said["headers"]).map(|(name, header)| {
            let header = Self::followed(document, header);
            let is_needed = header["required"].as_bool().unwrap_or_default();
            (name.to_lowercase(), is_needed, shape(&header["schema"], components, true))
        });
        Answered { content: content.collect(), headers: headers.collect() }
    }

    /// The operation of this name.
    pub(crate) fn find(&self, name: &str) -> &Described {
        let mut operations = self.operations.iter();
        operations.find(|known| known.name == name).unwrap_or_else(|| panic!("{name} is not described"))
    }

    /// The validator of a schema that stands in the document.
    pub(crate) fn shape(&self, schema: &Value) -> Validator {
        shape(schema, &self.document["components"], false)
    }
}

impl Described {
    /// The statuses that it may answer with.
    pub(crate) fn statuses(&self) -> impl Iterator<Item = u16> {
        self.answers.keys().copied()
    }

    /// Whether a body is as it is described.
    pub(crate) fn takes(&self, body: &Value) -> bool {
        self.body_shape.as_ref().is_some_and(|shape| shape.is_valid(body))
    }

    /// Fails where an answer is not as it is described, or one that was good was to something that is not.
    pub(crate) fn check(&self, body: &str, answer: &Answer) {
        let what = format!("{} {} {}: {}", self.method, self.path, answer.status, answer.body);
        let said = self.answers.get(&answer.status).unwrap_or_else(|| panic!("not described: {what}"));
        if (200..300).contains(&answer.status) && !body.is_empty() {
            let sent: Value = serde_json::from_str(body).unwrap_or_else(|e| panic!("{what}: {e}"));
            let shape = self.body_shape.as_ref();
            let wrong = shape.and_then(|shape| shape.iter_errors(&sent).next().map(|e| e.to_string()));
            assert_eq!(wrong, None, "this is not described, and was taken: {sent}: {what}");
        }
        for (name, is_needed, shape) in &said.headers {
            match answer.header(name) {
                Some(value) => assert!(shape.is_valid(&json!(value)), "{name}: {value}: {what}"),
                None => assert!(!is_needed, "no {name}: {what}"),
            }
        }
        for (name, _) in &answer.headers {
            let name = name.to_lowercase();
            let is_said = said.headers.iter().any(|(known, ..)| *known == name);
            assert!(is_said || EVERYWHERE.contains(&name.as_str()), "{name} is not described: {what}");
        }
        let Some(kind) = answer.header("content-type") else {
            assert!(answer.body.is_empty() && said.content.is_empty(), "no content type: {what}");
            return;
        };
        let shape = said.content.get(kind).unwrap_or_else(|| panic!("{kind} is not described: {what}"));
        let shown = match kind {
            "application/jsonl" => Value::String(answer.body.clone()),
            _ => serde_json::from_str(&answer.body).unwrap_or_else(|e| panic!("{what}: {e}")),
        };
        let wrong: Vec<_> =
            shape.iter_errors(&shown).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(wrong.is_empty(), "{wrong:?}: {what}");
    }
}

/// The operation of the API that a request asks for, where it asks for one.
pub(crate) fn operation_of(method: &str, path: &str) -> Option<Operation> {
    let path: RequestPath = path.parse().ok()?;
    let below = path.as_str().strip_prefix('/')?;
    match Endpoint::route(method, below.get(below.find('/')?..)?) {
        Routed::To(Endpoint::Api(operation), _) => Some(operation),
        _ => None,
    }
}
