//! The JSON schema of `conccheck.toml`, for editors.

use conccheck_analyzer::registry::RULES;
use serde_json::{Map, Value, json};

use super::file::fail_on_words;
use super::recording::Stacks;
use super::rules::{LEVELS, THRESHOLDS};
use super::{overrides, suppression};
use crate::formats::Format;

/// The schema.
pub(crate) fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "conccheck.toml",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "stacks": {
                "enum": Stacks::WORDS.map(|(word, _)| word),
                "description": "of which acquisitions the calls that led there are recorded; `edges`: of those within others",
            },
            "profile": {
                "description": "profiles, chosen by --config-profile or CONCCHECK_PROFILE; all inherit from `default`",
                "type": "object",
                "additionalProperties": profile(),
            },
            "rules": rules(),
            "override": overrides(),
            "ignore-tasks": {
                "description": "tasks that may be left behind",
                "type": "array",
                "items": { "type": "string", "pattern": "^(name|site|creator)=.+$" },
            },
            "suppress": { "type": "array", "items": suppression() },
        },
    })
}

fn profile() -> Value {
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "inherits": { "type": "string", "description": "the profile that decides what this one does not say" },
            "fail-on": {
                "enum": fail_on_words().map(|(word, _)| word),
                "description": "lowest severity of a finding that makes the command fail",
            },
            "outputs": {
                "type": "array",
                "items": { "type": "string", "pattern": format!("^({})(=.+)?$", Format::names().join("|")) },
                "description": "FORMAT or FORMAT=FILE; files lie beside the configuration, unnamed ones in target/conccheck",
            },
            "baseline": { "type": "string", "description": "file of known findings, which don't fail" },
            "rules": rules(),
            "override": overrides(),
        },
    })
}

fn rules() -> Value {
    let rule = |rule: &&(dyn conccheck_analyzer::Rule + Sync)| {
        let meta = rule.meta();
        let mut properties = Map::from_iter([("level".to_owned(), level())]);
        for threshold in THRESHOLDS.iter().filter(|threshold| threshold.rule == meta.name) {
            properties.insert(threshold.key.to_owned(), threshold.schema());
        }
        let table = json!({ "type": "object", "additionalProperties": false, "properties": properties });
        (meta.name.to_owned(), json!({ "description": meta.summary, "anyOf": [level(), table] }))
    };
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": RULES.iter().map(rule).collect::<Map<_, _>>(),
    })
}

fn level() -> Value {
    json!({ "enum": LEVELS.map(|(word, _)| word) })
}

/// Keys by which findings are told from others, and that at least one of them must be there: else all would be meant.
fn selector(keys: &[&str]) -> (Map<String, Value>, Value) {
    let text = |description: &str| json!({ "type": "string", "minLength": 1, "description": description });
    let names = |description: &str| json!({ "type": "array", "items": { "type": "string" }, "description": description });
    let all = [
        ("rule", json!({ "enum": RULES.iter().map(|rule| rule.meta().name).collect::<Vec<_>>() })),
        ("locks", names("names of locks that must all be concerned")),
        ("objects", names("names of locks, channels and the like that must all be concerned")),
        ("fingerprint", json!({ "type": "string", "pattern": "^[0-9a-f]{6,16}$", "description": "how the fingerprint begins" })),
        ("site", text("FILE or FILE:LINE, of which the end of a path is enough, or FOLDER/")),
        ("test", text("the only test it is seen in, or a module of tests")),
    ];
    let properties: Map<_, _> =
        all.into_iter().filter(|(key, _)| keys.contains(key)).map(|(key, schema)| (key.to_owned(), schema)).collect();
    let says_something = properties.keys().map(|key| json!({ "required": [key] })).collect();
    (properties, says_something)
}

fn overrides() -> Value {
    let (mut properties, says_something) = selector(&overrides::KEYS);
    let levels: Map<_, _> = RULES.iter().map(|rule| (rule.meta().name.to_owned(), level())).collect();
    properties.insert("rules".to_owned(), json!({ "type": "object", "additionalProperties": false, "properties": levels }));
    json!({
        "description": "levels of rules for some findings only",
        "type": "array",
        "items": {
            "type": "object",
            "additionalProperties": false,
            "properties": properties,
            "required": ["rules"],
            "anyOf": says_something,
        },
    })
}

fn suppression() -> Value {
    let (mut properties, says_something) = selector(&suppression::KEYS);
    properties
        .insert("reason".to_owned(), json!({ "type": "string", "minLength": 1, "description": "why this is no defect here" }));
    properties.insert("expires".to_owned(), json!({ "description": "the last day, such as 2027-03-01" }));
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "required": ["reason"],
        "anyOf": says_something,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file;

    #[test]
    fn the_schema_has_the_keys_that_are_read() {
        let schema = schema();
        let keys =
            |value: &Value| -> Vec<String> { value["properties"].as_object().expect("properties").keys().cloned().collect() };
        let sorted = |known: &[&str]| {
            let mut known: Vec<String> = known.iter().map(|key| (*key).to_owned()).collect();
            known.sort();
            known
        };
        assert_eq!(keys(&schema), sorted(&file::KEYS));
        assert_eq!(keys(&schema["properties"]["profile"]["additionalProperties"]), sorted(&file::PROFILE_KEYS));
        assert_eq!(keys(&schema["properties"]["suppress"]["items"]), sorted(&suppression::KEYS));
        assert_eq!(keys(&schema["properties"]["override"]["items"]), sorted(&overrides::KEYS));
        assert_eq!(keys(&schema["properties"]["rules"]).len(), RULES.len());
    }
}
