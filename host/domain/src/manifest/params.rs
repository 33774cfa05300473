//! Parameters: the JSON Schema in a manifest and the values that its defaults give.

use serde_json::{Map, Value, json};

/// The schema of an activity without parameters.
pub(super) fn none() -> Value {
    json!({"type": "object", "properties": {}, "additionalProperties": false})
}

/// A parameter schema that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// Not the schema of an object.
    #[error("params is no schema of an object with properties")]
    NotAnObject,
    /// A parameter without a default.
    #[error("parameter {0:?} has no default")]
    NoDefault(String),
}

/// The parameters' defaults, overlaid with `given`. Does not validate: the engine does, by the schema.
pub fn defaults(schema: &Value, given: &Map<String, Value>) -> Result<Value, ParamsError> {
    let properties = schema.get("properties").and_then(Value::as_object).ok_or(ParamsError::NotAnObject)?;
    let mut values = Map::new();
    for (name, property) in properties {
        let default = property.get("default").ok_or_else(|| ParamsError::NoDefault(name.clone()))?;
        values.insert(name.clone(), default.clone());
    }
    for (name, value) in given {
        values.insert(name.clone(), value.clone());
    }
    Ok(Value::Object(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_values_replace_defaults_and_a_missing_default_is_named() {
        let schema =
            json!({"type": "object", "properties": {"floor": {"default": 500}, "days": {"default": [60, 30, 7]}}});
        let given = json!({"floor": 9});
        let values = defaults(&schema, given.as_object().expect("an object"));
        assert_eq!(values, Ok(json!({"floor": 9, "days": [60, 30, 7]})));
        let schema = json!({"type": "object", "properties": {"floor": {}}});
        assert_eq!(defaults(&schema, &Map::new()), Err(ParamsError::NoDefault("floor".into())));
    }
}
