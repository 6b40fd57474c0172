//! The types that the stand-in knows.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use graphql_parser::parse_schema;
use graphql_parser::schema::{Definition, Field, ObjectType, Type, TypeDefinition};

/// GitHub's schema, as far as tests/data/github-cut.graphql has it.
pub(crate) struct Schema {
    types: BTreeMap<String, TypeDefinition<'static, String>>,
}

/// A type of the schema language, with names as strings.
pub(crate) type TypeOf = Type<'static, String>;

impl Schema {
    /// The one schema, parsed once.
    pub(crate) fn github() -> &'static Schema {
        static SCHEMA: OnceLock<Schema> = OnceLock::new();
        SCHEMA.get_or_init(|| {
            let text =
                include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../data/github-cut.graphql"));
            let document = parse_schema::<String>(text).expect("tests/data/github-cut.graphql");
            let mut types = BTreeMap::new();
            for definition in document.into_static().definitions {
                if let Definition::TypeDefinition(definition) = definition {
                    types.insert(name_of(&definition).to_owned(), definition);
                }
            }
            Schema { types }
        })
    }

    /// The type of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&TypeDefinition<'static, String>> {
        self.types.get(name)
    }

    /// A field of an object or interface.
    pub(crate) fn field(&self, of: &str, name: &str) -> Option<&Field<'static, String>> {
        let fields = match self.get(of)? {
            TypeDefinition::Object(object) => &object.fields,
            TypeDefinition::Interface(interface) => &interface.fields,
            _ => return None,
        };
        fields.iter().find(|field| field.name == name)
    }

    /// All object types.
    #[cfg(test)]
    pub(crate) fn objects(&self) -> impl Iterator<Item = &ObjectType<'static, String>> {
        self.types.values().filter_map(|each| match each {
            TypeDefinition::Object(object) => Some(object),
            _ => None,
        })
    }

    fn object(&self, name: &str) -> Option<&ObjectType<'static, String>> {
        match self.get(name)? {
            TypeDefinition::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Whether an object type is, implements or belongs to another type.
    pub(crate) fn is_a(&self, object: &str, other: &str) -> bool {
        if object == other {
            return true;
        }
        match self.get(other) {
            Some(TypeDefinition::Union(union)) => union.types.iter().any(|name| name == object),
            Some(TypeDefinition::Interface(_)) => self.object(object).is_some_and(|object| {
                object.implements_interfaces.iter().any(|name| name == other)
            }),
            _ => false,
        }
    }

    /// Whether some object can be of both types, without which a fragment makes no sense.
    pub(crate) fn overlap(&self, one: &str, other: &str) -> bool {
        self.types.keys().any(|name| {
            self.object(name).is_some() && self.is_a(name, one) && self.is_a(name, other)
        })
    }

    /// Whether fields of this type have fields themselves.
    pub(crate) fn is_composite(&self, name: &str) -> bool {
        matches!(
            self.get(name),
            Some(
                TypeDefinition::Object(_) | TypeDefinition::Interface(_) | TypeDefinition::Union(_)
            )
        )
    }
}

fn name_of<'a>(definition: &'a TypeDefinition<'static, String>) -> &'a str {
    match definition {
        TypeDefinition::Scalar(each) => &each.name,
        TypeDefinition::Object(each) => &each.name,
        TypeDefinition::Interface(each) => &each.name,
        TypeDefinition::Union(each) => &each.name,
        TypeDefinition::Enum(each) => &each.name,
        TypeDefinition::InputObject(each) => &each.name,
    }
}

/// The name inside lists and non-null.
pub(crate) fn named(kind: &TypeOf) -> &str {
    match kind {
        Type::NamedType(name) => name,
        Type::ListType(inner) | Type::NonNullType(inner) => named(inner),
    }
}
