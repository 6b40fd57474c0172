//! Checks a document against the schema before anything is carried out.

use std::collections::BTreeSet;

use graphql_parser::query::{
    Definition, Directive, Document, Field, FragmentDefinition, Selection, SelectionSet, Type,
    TypeCondition, Value as Literal, VariableDefinition,
};

use super::Mistake;
use super::schema::{Schema, named};
use super::values;

struct Check<'a> {
    schema: &'a Schema,
    document: &'a Document<'static, String>,
    variables: &'a [VariableDefinition<'static, String>],
    used: BTreeSet<String>,
    spread: BTreeSet<String>,
    mistakes: Vec<Mistake>,
}

/// Everything that is wrong with a query.
pub(crate) fn check(
    schema: &Schema,
    document: &Document<'static, String>,
    variables: &[VariableDefinition<'static, String>],
    selection: &SelectionSet<'static, String>,
) -> Vec<Mistake> {
    let mut check = Check {
        schema,
        document,
        variables,
        used: BTreeSet::new(),
        spread: BTreeSet::new(),
        mistakes: Vec::new(),
    };
    for variable in variables {
        let name = named(&variable.var_type);
        let builtin = matches!(name, "Int" | "Float" | "String" | "Boolean" | "ID");
        let input = schema.get(name).is_some() && !schema.is_composite(name);
        if !builtin && !input {
            check.mistake(format!("{name} isn't a defined input type (on ${})", variable.name));
        }
    }
    check.selection("Query", selection);
    for variable in variables {
        if !check.used.contains(&variable.name) {
            check.mistake(format!("Variable ${} is declared but not used", variable.name));
        }
    }
    for definition in &document.definitions {
        if let Definition::Fragment(fragment) = definition
            && !check.spread.contains(&fragment.name)
        {
            check.mistake(format!("Fragment {} was defined, but not used", fragment.name));
        }
    }
    check.mistakes
}

/// The fragment of this name.
pub(crate) fn fragment<'a>(
    document: &'a Document<'static, String>,
    name: &str,
) -> Option<&'a FragmentDefinition<'static, String>> {
    document.definitions.iter().find_map(|definition| match definition {
        Definition::Fragment(fragment) if fragment.name == name => Some(fragment),
        _ => None,
    })
}

impl Check<'_> {
    fn mistake(&mut self, message: String) {
        self.mistakes.push(Mistake::in_document(message));
    }

    fn selection(&mut self, of: &str, selection: &SelectionSet<'static, String>) {
        for item in &selection.items {
            match item {
                Selection::Field(field) => self.field(of, field),
                Selection::InlineFragment(inline) => {
                    self.directives(&inline.directives);
                    let on = match &inline.type_condition {
                        Some(TypeCondition::On(name)) => name.as_str(),
                        None => of,
                    };
                    self.fragment(of, on, &inline.selection_set);
                }
                Selection::FragmentSpread(spread) => {
                    self.directives(&spread.directives);
                    let document = self.document;
                    let Some(found) = fragment(document, &spread.fragment_name) else {
                        self.mistake(format!("Fragment {} is not defined", spread.fragment_name));
                        continue;
                    };
                    // A fragment that contains itself would never end.
                    let first = self.spread.insert(spread.fragment_name.clone());
                    let TypeCondition::On(on) = &found.type_condition;
                    if first {
                        self.fragment(of, on, &found.selection_set);
                    }
                }
            }
        }
    }

    fn fragment(&mut self, of: &str, on: &str, selection: &SelectionSet<'static, String>) {
        if !self.schema.is_composite(on) {
            self.mistake(format!("No such type {on}, so it can't be a fragment condition"));
        } else if !self.schema.overlap(of, on) {
            self.mistake(format!("Fragment on {on} can't be spread inside {of}"));
        } else {
            self.selection(on, selection);
        }
    }

    fn field(&mut self, of: &str, field: &Field<'static, String>) {
        self.directives(&field.directives);
        if field.name == "__typename" {
            return;
        }
        let schema = self.schema;
        let Some(known) = schema.field(of, &field.name) else {
            self.mistake(format!("Field '{}' doesn't exist on type '{of}'", field.name));
            return;
        };
        for (name, value) in &field.arguments {
            self.uses(value);
            let Some(argument) = known.arguments.iter().find(|each| each.name == *name) else {
                let message = format!("Field '{}' doesn't accept argument '{name}'", field.name);
                self.mistake(message);
                continue;
            };
            if let Err(reason) = values::allowed(schema, argument, value, self.variables) {
                self.mistake(format!("Argument '{name}' on Field '{}': {reason}", field.name));
            }
        }
        for argument in &known.arguments {
            let needed = matches!(argument.value_type, Type::NonNullType(_))
                && argument.default_value.is_none();
            if needed && !field.arguments.iter().any(|(name, _)| *name == argument.name) {
                let missing = &argument.name;
                let message =
                    format!("Field '{}' is missing required arguments: {missing}", field.name);
                self.mistake(message);
            }
        }
        let inner = named(&known.field_type);
        match (schema.is_composite(inner), field.selection_set.items.is_empty()) {
            (true, true) => self.mistake(format!(
                "Field must have selections (field '{}' returns {inner} but has no selections)",
                field.name
            )),
            (false, false) => {
                self.mistake(format!("Selections can't be made on scalars ({})", field.name));
            }
            _ => self.selection(inner, &field.selection_set),
        }
    }

    fn directives(&mut self, directives: &[Directive<'static, String>]) {
        for directive in directives {
            let known = matches!(directive.name.as_str(), "include" | "skip");
            if !known || !matches!(directive.arguments.as_slice(), [(name, _)] if name == "if") {
                self.mistake(format!("Directive @{} is not understood", directive.name));
            }
            for (_, value) in &directive.arguments {
                self.uses(value);
            }
        }
    }

    fn uses(&mut self, value: &Literal<'static, String>) {
        match value {
            Literal::Variable(name) => {
                self.used.insert(name.clone());
            }
            Literal::List(items) => items.iter().for_each(|item| self.uses(item)),
            Literal::Object(fields) => fields.values().for_each(|value| self.uses(value)),
            _ => {}
        }
    }
}
