//! Arguments and variables: their types, and their values as JSON.

use graphql_parser::query::{Type, Value as Literal, VariableDefinition};
use graphql_parser::schema::{InputValue, TypeDefinition};
use serde_json::{Map, Value};

use super::Mistake;
use super::schema::{Schema, TypeOf};

type Variable = VariableDefinition<'static, String>;

/// The values of all variables, checked against their declarations.
pub(crate) fn variables(
    schema: &Schema,
    declared: &[Variable],
    sent: &Value,
) -> Result<Map<String, Value>, Mistake> {
    let none = Map::new();
    let sent = match sent {
        Value::Null => &none,
        Value::Object(sent) => sent,
        _ => return Err(Mistake::in_document("variables must be an object")),
    };
    for name in sent.keys() {
        if !declared.iter().any(|variable| variable.name == *name) {
            let message = format!("Variable ${name} was given and is not declared by the query");
            return Err(Mistake::in_document(message));
        }
    }
    let mut values = Map::new();
    for variable in declared {
        let given = sent.get(&variable.name).cloned();
        let default = variable.default_value.as_ref().map(|value| literal(value, &none));
        let value = match given.or(default) {
            Some(value) => value,
            None if matches!(variable.var_type, Type::NonNullType(_)) => Value::Null,
            None => continue,
        };
        if let Err(reason) = fits(schema, &variable.var_type, &value) {
            let message = format!(
                "Variable ${} of type {} was provided invalid value: {reason}",
                variable.name, variable.var_type
            );
            return Err(Mistake::in_document(message));
        }
        values.insert(variable.name.clone(), value);
    }
    Ok(values)
}

/// Whether a JSON value can be of this type.
pub(crate) fn fits(schema: &Schema, kind: &TypeOf, value: &Value) -> Result<(), String> {
    match (kind, value) {
        (Type::NonNullType(_), Value::Null) => Err("null where a value is needed".to_owned()),
        (Type::NonNullType(inner), value) => fits(schema, inner, value),
        (_, Value::Null) => Ok(()),
        (Type::ListType(inner), Value::Array(items)) => {
            items.iter().try_for_each(|item| fits(schema, inner, item))
        }
        // One value stands for a list of one.
        (Type::ListType(inner), value) => fits(schema, inner, value),
        (Type::NamedType(name), value) => named_fits(schema, name, value),
    }
}

fn named_fits(schema: &Schema, name: &str, value: &Value) -> Result<(), String> {
    let wrong = || Err(format!("{value} is no {name}"));
    match (name, schema.get(name)) {
        ("Int", _) if value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => Ok(()),
        ("Boolean", _) if value.is_boolean() => Ok(()),
        ("Float", _) if value.is_number() => Ok(()),
        ("ID", _) if value.is_string() || value.is_i64() => Ok(()),
        ("String", _) | (_, Some(TypeDefinition::Scalar(_))) if value.is_string() => Ok(()),
        (_, Some(TypeDefinition::Enum(values))) => {
            let known = |text: &str| values.values.iter().any(|each| each.name == text);
            if value.as_str().is_some_and(known) { Ok(()) } else { wrong() }
        }
        (_, Some(TypeDefinition::InputObject(input))) => {
            let Some(given) = value.as_object() else { return wrong() };
            if let Some(unknown) =
                given.keys().find(|key| !input.fields.iter().any(|field| field.name == **key))
            {
                return Err(format!("{unknown} is no field of {name}"));
            }
            input.fields.iter().try_for_each(|field| {
                fits(schema, &field.value_type, given.get(&field.name).unwrap_or(&Value::Null))
            })
        }
        _ => wrong(),
    }
}

/// A literal as JSON; variables that were not given are null.
pub(crate) fn literal(value: &Literal<'static, String>, variables: &Map<String, Value>) -> Value {
    match value {
        Literal::Variable(name) => variables.get(name).cloned().unwrap_or_default(),
        Literal::Int(number) => number.as_i64().into(),
        Literal::Float(number) => (*number).into(),
        Literal::String(text) => text.clone().into(),
        Literal::Boolean(value) => (*value).into(),
        Literal::Null => Value::Null,
        Literal::Enum(name) => name.clone().into(),
        Literal::List(items) => {
            items.iter().map(|item| literal(item, variables)).collect::<Vec<Value>>().into()
        }
        Literal::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| (key.clone(), literal(value, variables)));
            Value::Object(fields.collect())
        }
    }
}

/// Whether a literal may stand for this argument.
pub(crate) fn allowed(
    schema: &Schema,
    argument: &InputValue<'static, String>,
    value: &Literal<'static, String>,
    declared: &[Variable],
) -> Result<(), String> {
    check(schema, &argument.value_type, argument.default_value.is_some(), value, declared)
}

fn check(
    schema: &Schema,
    kind: &TypeOf,
    has_default: bool,
    value: &Literal<'static, String>,
    declared: &[Variable],
) -> Result<(), String> {
    match value {
        Literal::Variable(name) => {
            let Some(variable) = declared.iter().find(|each| each.name == *name) else {
                return Err(format!("Variable ${name} is used but not declared"));
            };
            let filled = has_default || variable.default_value.is_some();
            if assignable(&variable.var_type, kind, filled) {
                return Ok(());
            }
            let given = &variable.var_type;
            Err(format!("Type mismatch on variable ${name} ({given} / {kind})"))
        }
        Literal::List(items) => {
            let inner = match unwrapped(kind) {
                Type::ListType(inner) => inner,
                _ => return Err(format!("a list where {kind} is needed")),
            };
            items.iter().try_for_each(|item| check(schema, inner, false, item, declared))
        }
        Literal::Object(fields) => {
            let Type::NamedType(name) = unwrapped(kind) else {
                return Err(format!("an object where {kind} is needed"));
            };
            let Some(TypeDefinition::InputObject(input)) = schema.get(name) else {
                return Err(format!("an object where {kind} is needed"));
            };
            for (key, value) in fields {
                let Some(field) = input.fields.iter().find(|field| field.name == *key) else {
                    return Err(format!("{key} is no field of {name}"));
                };
                allowed(schema, field, value, declared)?;
            }
            for field in &input.fields {
                let needed = matches!(field.value_type, Type::NonNullType(_));
                if needed && field.default_value.is_none() && !fields.contains_key(&field.name) {
                    return Err(format!("{name} needs {}", field.name));
                }
            }
            Ok(())
        }
        // "OPEN" in quotes is a string, and no value of an enum.
        Literal::String(text) if is_enum(schema, kind) => Err(format!("\"{text}\" is no {kind}")),
        Literal::Enum(name) if !is_enum(schema, kind) => Err(format!("{name} is no {kind}")),
        value => fits(schema, kind, &literal(value, &Map::new())),
    }
}

fn is_enum(schema: &Schema, kind: &TypeOf) -> bool {
    matches!(schema.get(super::schema::named(kind)), Some(TypeDefinition::Enum(_)))
}

fn unwrapped(kind: &TypeOf) -> &TypeOf {
    match kind {
        Type::NonNullType(inner) => inner,
        kind => kind,
    }
}

/// Whether a variable of one type may stand where the other is needed.
fn assignable(given: &TypeOf, needed: &TypeOf, filled: bool) -> bool {
    match (given, needed) {
        (Type::NonNullType(given), Type::NonNullType(needed)) => assignable(given, needed, filled),
        (given, Type::NonNullType(needed)) => filled && assignable(given, needed, false),
        (Type::NonNullType(given), needed) => assignable(given, needed, false),
        (Type::ListType(given), Type::ListType(needed)) => assignable(given, needed, false),
        (Type::NamedType(given), Type::NamedType(needed)) => given == needed,
        _ => false,
    }
}
