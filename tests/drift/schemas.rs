//! The JSON Schemas in `docs/`: of the document that the parser reads, and of the files that people write.
//!
//! `UPDATE_DOCS=1 cargo test --all-features` (`make schema`) writes them anew.

use jsonschema::Validator;
use schemars::Schema;
use serde_json::{Value, json};

use super::read;

const RESOLVED: &str = "docs/tollgate.schema.json";
const WRITTEN: &str = "docs/tollgate.source.schema.json";

fn resolved() -> Schema {
    schemars::schema_for!(tollgate::config::document::Document)
}

/// The schema of the files: that of the document, and what `tools/document.mjs` resolves. Rust never reads such a file, so there is no type to
/// derive this from.
fn written() -> Schema {
    let mut schema = resolved().to_value();
    schema["title"] = json!("tollgate configuration, as people write it");
    schema["description"] = json!(
        "A file of the configuration: `tollgate.json`, or one that it includes. `tools/document.mjs` makes one document of them."
    );
    // Of editors that know them; unknown words of a schema are ignored (JSON Schema core, section 6.5).
    schema["allowComments"] = json!(true);
    schema["allowTrailingCommas"] = json!(true);
    let properties = schema["properties"].as_object_mut().unwrap();
    properties.insert(
        "includes".to_owned(),
        json!({
            "description": "Other files of the configuration, as seen from this one. `*` in the last part is any characters.",
            "type": "array",
            "items": { "type": "string", "minLength": 1 }
        }),
    );
    properties.insert(
        "blocks".to_owned(),
        json!({
            "description": "What several routes have in common, by name. A route takes a block with `use`.",
            "type": "object",
            "propertyNames": { "pattern": "^[A-Za-z0-9_-]{1,64}$" },
            "additionalProperties": { "$ref": "#/$defs/BlockDocument" }
        }),
    );
    let definitions = schema["$defs"].as_object_mut().unwrap();
    let route = definitions["RouteDocument"].as_object_mut().unwrap();
    let mut block = route.clone();
    block.insert("description".to_owned(), json!("Members of a route, which routes take with `use`."));
    block.remove("required").unwrap();
    block["properties"].as_object_mut().unwrap().remove("id").unwrap();
    // What blocks may give is not asked of a route that takes some.
    let required = route.insert("required".to_owned(), json!(["id"])).unwrap();
    route.insert("anyOf".to_owned(), json!([{ "required": ["use"] }, { "required": required }]));
    route["properties"].as_object_mut().unwrap().insert(
        "use".to_owned(),
        json!({
            "description": "The block, or the blocks, whose members this route has where it has none of its own.",
            "anyOf": [
                { "type": "string" },
                { "type": "array", "items": { "type": "string" }, "minItems": 1, "uniqueItems": true }
            ]
        }),
    );
    definitions.insert("BlockDocument".to_owned(), Value::Object(block));
    schema.try_into().unwrap()
}

fn assert_is_in_docs(path: &str, schema: &Schema) {
    let text = format!("{}\n", serde_json::to_string_pretty(schema).unwrap());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert!(read(path) == text, "{path} is not what is read: run `make schema`");
}

#[test]
fn the_schema_in_docs_is_that_of_the_parser() {
    assert_is_in_docs(RESOLVED, &resolved());
}

#[test]
fn the_schema_in_docs_of_what_people_write_is_that_and_what_is_resolved() {
    assert_is_in_docs(WRITTEN, &written());
}

fn validator(schema: &Schema) -> Validator {
    jsonschema::validator_for(schema.as_value()).unwrap()
}

#[test]
fn what_people_write_fits_its_schema() {
    let shape = validator(&written());
    for good in [
        json!({}),
        json!({ "includes": ["routes/*.json"], "blocks": { "reads": { "methods": ["GET"], "to": { "service": "ORIGIN" } } } }),
        json!({ "routes": [{ "id": "a", "use": "reads", "path": "/a" }] }),
        json!({ "routes": [{ "id": "a", "use": ["reads", "public"] }] }),
        json!({ "routes": [{ "id": "a", "methods": ["GET"], "path": "/a", "to": {} }] }),
    ] {
        assert!(shape.is_valid(&good), "{good}: {}", shape.validate(&good).unwrap_err());
        // None of it is for the worker, but for plain documents.
        let is_plain = !good.to_string().contains("use") && good.get("blocks").is_none();
        assert_eq!(validator(&resolved()).is_valid(&good), is_plain, "{good}");
    }
    for bad in [
        json!({ "includes": "routes/*.json" }),
        json!({ "includes": [""] }),
        json!({ "include": [] }),
        json!({ "blocks": [] }),
        json!({ "blocks": { "a b": {} } }),
        json!({ "blocks": { "reads": { "id": "a" } } }),
        json!({ "blocks": { "reads": { "use": "other" } } }),
        json!({ "blocks": { "reads": { "method": ["GET"] } } }),
        json!({ "blocks": { "reads": { "methods": ["GOT"] } } }),
        json!({ "routes": [{ "use": "reads" }] }),
        json!({ "routes": [{ "id": "a", "use": [] }] }),
        json!({ "routes": [{ "id": "a", "use": ["reads", "reads"] }] }),
        json!({ "routes": [{ "id": "a", "use": "reads", "colour": "red" }] }),
        json!({ "routes": [{ "id": "a", "methods": ["GET"], "path": "/a" }] }),
    ] {
        assert!(!shape.is_valid(&bad), "{bad}");
    }
}

#[test]
fn the_configuration_that_is_shipped_fits_the_schema_that_it_names() {
    let text = read("tollgate.json");
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let document: Value = serde_json::from_str(&lines.collect::<String>()).unwrap();
    assert_eq!(document["$schema"], WRITTEN);
    let shape = validator(&written());
    assert!(shape.is_valid(&document), "{}", shape.validate(&document).unwrap_err());
}
