//! Carries a checked query out.

use std::cell::RefCell;

use graphql_parser::query::{Directive, Document, Field, Selection, SelectionSet, TypeCondition};
use serde_json::{Map, Value};

use super::Mistake;
use super::resolve::{Node, Resolved};
use super::schema::Schema;
use super::{validate, values};
use crate::github::access::Call;
use crate::github::state::State;

/// What a query looked at that changes by being looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touched {
    /// The list of pull requests of a repository.
    Pulls(u64),
    /// The comments of a pull request.
    Comments(u64, u64),
}

/// One query under way.
pub(crate) struct Execution<'a> {
    pub schema: &'a Schema,
    pub state: &'a State,
    pub call: &'a Call<'a>,
    document: &'a Document<'static, String>,
    variables: Map<String, Value>,
    mistakes: RefCell<Vec<Mistake>>,
    touched: RefCell<Vec<Touched>>,
}

impl<'a> Execution<'a> {
    pub(crate) fn new(
        schema: &'a Schema,
        state: &'a State,
        call: &'a Call<'a>,
        document: &'a Document<'static, String>,
        variables: Map<String, Value>,
    ) -> Self {
        Execution {
            schema,
            state,
            call,
            document,
            variables,
            mistakes: RefCell::default(),
            touched: RefCell::default(),
        }
    }

    /// The data of the whole query.
    pub(crate) fn query(&self, selection: &SelectionSet<'static, String>) -> Value {
        self.object(&Node::Query, selection, &[])
    }

    /// What went wrong, and what was looked at.
    pub(crate) fn finish(self) -> (Vec<Mistake>, Vec<Touched>) {
        (self.mistakes.into_inner(), self.touched.into_inner())
    }

    /// Notes that something was looked at.
    pub(crate) fn touch(&self, touched: Touched) {
        self.touched.borrow_mut().push(touched);
    }

    fn object(
        &self,
        node: &Node<'a>,
        selection: &SelectionSet<'static, String>,
        path: &[String],
    ) -> Value {
        let mut fields = Map::new();
        self.select(node, selection, path, &mut fields);
        Value::Object(fields)
    }

    fn select(
        &self,
        node: &Node<'a>,
        selection: &SelectionSet<'static, String>,
        path: &[String],
        into: &mut Map<String, Value>,
    ) {
        for item in &selection.items {
            match item {
                Selection::Field(field) if self.wanted(&field.directives) => {
                    let key = field.alias.as_ref().unwrap_or(&field.name);
                    let mut path = path.to_vec();
                    path.push(key.clone());
                    let value = self.field(node, field, &path);
                    match into.get_mut(key) {
                        Some(there) => merge(there, value),
                        None => {
                            into.insert(key.clone(), value);
                        }
                    }
                }
                Selection::InlineFragment(inline) if self.wanted(&inline.directives) => {
                    let fits = match &inline.type_condition {
                        Some(TypeCondition::On(name)) => self.schema.is_a(node.kind(), name),
                        None => true,
                    };
                    if fits {
                        self.select(node, &inline.selection_set, path, into);
                    }
                }
                Selection::FragmentSpread(spread) if self.wanted(&spread.directives) => {
                    let found = validate::fragment(self.document, &spread.fragment_name);
                    let Some(fragment) = found else { continue };
                    let TypeCondition::On(name) = &fragment.type_condition;
                    if self.schema.is_a(node.kind(), name) {
                        self.select(node, &fragment.selection_set, path, into);
                    }
                }
                _ => {}
            }
        }
    }

    fn wanted(&self, directives: &[Directive<'static, String>]) -> bool {
        directives.iter().all(|directive| {
            let value = directive.arguments.first().map(|(_, value)| value);
            let value = value.map(|value| values::literal(value, &self.variables));
            let set = value.and_then(|value| value.as_bool()).unwrap_or_default();
            if directive.name == "skip" { !set } else { set }
        })
    }

    fn field(&self, node: &Node<'a>, field: &Field<'static, String>, path: &[String]) -> Value {
        if field.name == "__typename" {
            return node.kind().into();
        }
        let arguments: Map<String, Value> = field
            .arguments
            .iter()
            .map(|(name, value)| (name.clone(), values::literal(value, &self.variables)))
            .collect();
        let resolved = node.resolve(self, &field.name, &arguments).unwrap_or_else(|| {
            let message = format!("the stand-in does not answer {}.{}", node.kind(), field.name);
            Err(Mistake::in_document(message))
        });
        match resolved {
            Ok(Resolved::Scalar(value)) => value,
            Ok(Resolved::One(None)) => Value::Null,
            Ok(Resolved::One(Some(one))) => self.object(&one, &field.selection_set, path),
            Ok(Resolved::Many(many)) => {
                let nodes = many.iter().enumerate().map(|(index, one)| {
                    let mut path = path.to_vec();
                    path.push(index.to_string());
                    self.object(one, &field.selection_set, &path)
                });
                nodes.collect::<Vec<Value>>().into()
            }
            Err(mistake) => {
                let mistake = Mistake { path: path.to_vec(), ..mistake };
                self.mistakes.borrow_mut().push(mistake);
                Value::Null
            }
        }
    }
}

/// The same field selected twice has the fields of both selections.
fn merge(there: &mut Value, more: Value) {
    match (there, more) {
        (Value::Object(there), Value::Object(more)) => {
            for (key, value) in more {
                match there.get_mut(&key) {
                    Some(there) => merge(there, value),
                    None => {
                        there.insert(key, value);
                    }
                }
            }
        }
        (Value::Array(there), Value::Array(more)) => {
            for (there, more) in there.iter_mut().zip(more) {
                merge(there, more);
            }
        }
        _ => {}
    }
}
