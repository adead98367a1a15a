//! What can be wrong with the definition of a module's tables.

use super::{ModuleSchema, is_name};
use crate::error::Constraint;
use crate::tables::{Kind, Table};

impl ModuleSchema {
    /// What is wrong with the tables, in sentences. A wrong name in `part_of` or `contacts` would leave
    /// rows behind when a person is erased, and a table without its `id` would make backups fail, so
    /// the service does not start with a module that has faults.
    pub fn faults(&self) -> Vec<String> {
        let of_table = |(at, table): (usize, &Table)| {
            // A part is erased after its whole, in the order of tables.
            let earlier = self.tables.iter().take(at).chain(crate::TABLES);
            let wholes: Vec<_> = earlier.map(|table| table.name).collect();
            let whose = format!("the table {:?} of the module {}", table.name, self.module);
            table.faults(&wholes).into_iter().map(move |fault| format!("{whose} {fault}"))
        };
        self.tables.iter().enumerate().flat_map(of_table).collect()
    }
}

impl Table {
    fn faults(&self, wholes: &[&str]) -> Vec<String> {
        let mut faults = Vec::new();
        let names = || self.columns.iter().map(|column| column.name);
        if let Some(name) = names().chain([self.name]).find(|name| !is_name(name)) {
            faults.push(format!(
                "uses the name {name:?}, but a name begins with a letter and has only the letters a \
                 to z, digits and underscores"
            ));
        }
        let has_id =
            self.columns.first().is_some_and(|it| it.name == "id" && it.kind == Kind::Integer);
        if !has_id {
            faults.push("needs the column id as its first, of the kind integer".to_owned());
        }
        for (at, name) in names().enumerate() {
            if names().take(at).any(|earlier| earlier == name) {
                faults.push(format!("has the column {name} twice"));
            }
        }
        let is_own = |name: &str, kind: Kind| {
            self.columns.iter().any(|column| column.name == name && column.kind == kind)
        };
        if let Some((column, whole)) = self.part_of {
            if !is_own(column, Kind::Integer) {
                faults.push(format!("has no column {column} of integers, which part_of names"));
            }
            if !wholes.contains(&whole) {
                faults.push(format!(
                    "is a part of {whole}, which is no table of the service, and no earlier one of \
                     the module"
                ));
            }
        }
        let contacts = self.contacts.iter().map(|(column, _)| (*column, "contacts"));
        let searched = self.searched_by.iter().map(|column| (*column, "searched_by"));
        for (column, place) in contacts.chain(searched).filter(|(it, _)| !is_own(it, Kind::Text)) {
            faults.push(format!("has no column {column} of texts, which {place} names"));
        }
        for rule in self.rules {
            let is_about_own = match rule {
                Constraint::Taken { table, column } | Constraint::Missing { table, column } => {
                    *table == self.name && names().any(|name| name == *column)
                }
                _ => false,
            };
            if !is_about_own {
                faults.push(format!("has the rule {rule:?}, which is about no column of it"));
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use exit3_domain::contact::ContactKind;

    use super::*;
    use crate::tables::Column;

    const GUESTS: Table = Table {
        name: "guests",
        columns: &[
            Column::new("id", Kind::Integer),
            Column::new("lead_id", Kind::Integer),
            Column::new("email", Kind::Text),
        ],
        contacts: &[("email", ContactKind::Email)],
        part_of: Some(("lead_id", "leads")),
        searched_by: &["email"],
        rules: &[Constraint::Taken { table: "guests", column: "email" }],
        ..Table::EMPTY
    };

    fn faults(tables: &'static [Table]) -> Vec<String> {
        ModuleSchema { module: "guests", tables, postgres: &[], sqlite: &[] }.faults()
    }

    /// The faults of the only table.
    fn told(table: Table) -> Vec<String> {
        let whose = format!("the table {:?} of the module guests ", table.name);
        let faults = faults(vec![table].leak());
        faults.iter().map(|fault| fault.strip_prefix(&whose).unwrap().to_owned()).collect()
    }

    #[test]
    fn a_table_that_is_whole_has_no_faults() {
        const CARDS: Table = Table {
            name: "cards",
            columns: &[Column::new("id", Kind::Integer), Column::new("guest_id", Kind::Integer)],
            part_of: Some(("guest_id", "guests")),
            ..Table::EMPTY
        };
        assert_eq!(faults(&[GUESTS, CARDS]), [""; 0]);
        let told = faults(&[CARDS, GUESTS]);
        assert_eq!(
            told,
            [
                "the table \"cards\" of the module guests is a part of guests, which is no table of the \
              service, and no earlier one of the module"
            ]
        );
    }

    #[test]
    fn the_tables_of_the_service_have_no_faults() {
        for (at, table) in crate::TABLES.iter().enumerate() {
            let earlier: Vec<_> = crate::TABLES.iter().take(at).map(|table| table.name).collect();
            assert_eq!(table.faults(&earlier), [""; 0], "{}", table.name);
        }
    }

    #[test]
    fn the_first_column_is_the_id_and_no_column_is_there_twice() {
        let needs = "needs the column id as its first, of the kind integer";
        const WRONG: &[&[Column]] = &[
            &[],
            &[Column::new("id", Kind::Text)],
            &[Column::new("name", Kind::Text), Column::new("id", Kind::Integer)],
        ];
        for columns in WRONG {
            assert_eq!(told(Table { name: "guests", columns, ..Table::EMPTY }), [needs]);
        }
        const TWICE: &[Column] = &[
            Column::new("id", Kind::Integer),
            Column::new("name", Kind::Text),
            Column::new("name", Kind::Integer),
        ];
        let twice = Table { name: "guests", columns: TWICE, ..Table::EMPTY };
        assert_eq!(told(twice), ["has the column name twice"]);
    }

    #[test]
    fn names_become_parts_of_statements() {
        for name in ["Guests", "", "_guests", "1", "x; DROP TABLE leads"] {
            let told = told(Table { name, rules: &[], ..GUESTS });
            assert!(told[0].starts_with(&format!("uses the name {name:?}, but")), "{told:?}");
        }
        const COLUMNS: &[Column] =
            &[Column::new("id", Kind::Integer), Column::new("Name", Kind::Text)];
        let told = told(Table { name: "guests", columns: COLUMNS, ..Table::EMPTY });
        assert!(told[0].starts_with("uses the name \"Name\", but"), "{told:?}");
    }

    #[test]
    fn what_a_table_says_of_its_columns_is_about_columns_that_it_has() {
        let told_of = |column: &'static str| {
            let contacts = vec![(column, ContactKind::Email)].leak();
            let rules = vec![Constraint::Missing { table: "guests", column }].leak();
            let searched_by = vec![column].leak();
            let part_of = Some((column, "leads"));
            told(Table { contacts, part_of, searched_by, rules, ..GUESTS })
        };
        assert_eq!(
            told_of("mail"),
            [
                "has no column mail of integers, which part_of names",
                "has no column mail of texts, which contacts names",
                "has no column mail of texts, which searched_by names",
                "has the rule Missing { table: \"guests\", column: \"mail\" }, which is about no \
                 column of it",
            ]
        );
        assert_eq!(told_of("email"), ["has no column email of integers, which part_of names"]);
        assert_eq!(told_of("lead_id").len(), 2);
        let others = &[Constraint::Taken { table: "leads", column: "email" }];
        assert!(told(Table { rules: others, ..GUESTS })[0].contains("is about no column of it"));
        let whole = Table { part_of: Some(("lead_id", "lead")), ..GUESTS };
        assert!(told(whole)[0].starts_with("is a part of lead, which is no table"));
        // No archive has it, so nobody could find its rows.
        let stays = Table { part_of: Some(("lead_id", "jobs")), ..GUESTS };
        assert!(told(stays)[0].starts_with("is a part of jobs, which is no table"));
    }
}
