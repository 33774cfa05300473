//! Imports: errors at every level, encodings, line numbers.

use super::files::{BALANCE, Desk, dictionary, keyer};
use crate::Snapshot;
use crate::import::FaultClass;
use arrow::array::{ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use care_domain::identity::Identity;
use encoding_rs::GB18030;
use std::sync::Arc;

fn refusal(csv: impl AsRef<[u8]>, mapping: &str) -> String {
    let desk = Desk::new();
    let error = desk.csv(csv, mapping).expect_err("a refusal").to_string();
    assert_eq!(desk.kept(), Vec::<String>::new(), "{error}");
    error
}

#[test]
fn a_file_that_cannot_be_right_is_refused_and_nothing_is_written() {
    for (csv, part) in [
        ("", "empty"),
        ("id,balance\n", "no rows"),
        ("id;balance\n1;2\n", "Set delimiter = ';'"),
        ("id,ballance\n1,2\n", "Did you mean ballance?"),
        ("id,balance,balance\n1,2,3\n", "more than one column"),
        ("id,balance\n1,\"2\n3,4\n", "line 2 is never closed"),
        ("id,balance\n1,2\n\n\n3,\"4", "line 5 is never closed"),
        ("id,balance\n,2\n", "every row was rejected"),
    ] {
        let error = refusal(csv, BALANCE);
        assert!(error.contains(part), "{part}: {error}");
    }
    let desk = Desk::new();
    let error = desk.import(&desk.root().join("absent.csv"), BALANCE).expect_err("missing").to_string();
    assert!(error.contains("there is no file"), "{error}");
}

#[test]
fn the_wrong_encoding_is_refused_with_a_hint() {
    let (bytes, ..) = GB18030.encode("id,balance\n1,2\n厦门,3\n");
    let error = refusal(&bytes, BALANCE);
    assert!(error.contains("line 3") && error.contains("gb18030"), "{error}");
}

#[test]
fn chinese_headers_in_gb18030_are_understood() {
    let mapping = "format = \"csv\"\nencoding = \"gb18030\"\nkey = \"客户编号\"\n[fields.brand]\ncolumn = \"品牌\"\n\
                   map = { \"全球通\" = \"gotone\", \"动感地带\" = \"m-zone\" }\n[identity]\nname = \"姓名\"\n";
    let (bytes, ..) = GB18030.encode("客户编号,姓名,品牌\r\nA1,欧阳娜,全球通\r\nA2,陈晓,动感地带\r\n");
    let desk = Desk::new();
    let imported = desk.csv(&bytes, mapping).expect("an import");
    let found = Snapshot::open(&imported.folder).expect("a snapshot").find(keyer().key_of("A1")).expect("a look-up");
    assert_eq!(found, Some(vec![("brand".to_owned(), "gotone".to_owned())]));
    let people: Vec<Identity> = imported.identities.flat_map(|batch| batch.expect("a batch")).collect();
    let surname = |id: &str| people.iter().find(|p| p.external_id == id).map(|p| p.surname.clone());
    assert_eq!((surname("A1").as_deref(), surname("A2").as_deref()), (Some("欧阳"), Some("陈")));
}

#[test]
fn bad_rows_are_kept_aside_with_the_line_in_which_they_begin() {
    // CRLF, a byte order mark, a blank line and a quoted line end: every way to miscount.
    let csv = "\u{feff}id,note,balance\r\n1,\"two\r\nlines\",1.00\r\n\r\n,x,2\r\n2,x\r\n1,again,3\r\n3,x,4.005\r\n4,,5";
    let desk = Desk::new();
    let imported = desk.csv(csv, BALANCE).expect("an import");
    let faults: Vec<(u64, FaultClass, &str)> =
        imported.first_faults.iter().map(|f| (f.line, f.class, f.field.as_str())).collect();
    assert_eq!(
        faults,
        [
            (5, FaultClass::NoKey, ""),
            (6, FaultClass::RowWidth, ""),
            (8, FaultClass::Type, "balance"),
            (7, FaultClass::RepeatedKey, ""),
        ]
    );
    assert_eq!(
        (imported.rows, imported.counts.read, imported.counts.rejected, imported.counts.bad_cells),
        (3, 6, 3, 1)
    );
    assert_eq!(imported.counts.bad_rows, 4);
    let rejects = std::fs::read_to_string(imported.rejects.expect("a reject file")).expect("text");
    assert!(
        rejects.starts_with("line,class,field,value,reason\n") && rejects.contains("8,type,balance,4.005,"),
        "{rejects}"
    );
}

#[test]
fn of_rows_with_one_key_the_first_stays_with_its_identity() {
    let desk = Desk::new();
    let mapping = format!("{BALANCE}[identity]\nname = \"name\"\n");
    let imported = desk.csv("id,name,balance\n1,First,1\n 1 ,Second,bad\n", &mapping).expect("an import");
    let found = Snapshot::open(&imported.folder).expect("a snapshot").find(keyer().key_of("1")).expect("a look-up");
    assert_eq!(found, Some(vec![("balance".to_owned(), "1.00".to_owned())]));
    assert_eq!((imported.counts.bad_rows, imported.counts.rejected), (1, 1));
    let people: Vec<Identity> = imported.identities.flat_map(|batch| batch.expect("a batch")).collect();
    assert_eq!(people.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["First"]);
}

#[test]
fn messages_never_repeat_who_a_customer_is() {
    let mapping = "format = \"csv\"\nkey = \"id\"\n[fields.points]\ncolumn = \"phone\"\n[fields.arpu]\ncolumn = \"arpu\"\n\
                   [identity]\nmsisdn = \"phone\"\nname = \"name\"\n";
    let long = "9".repeat(60);
    let desk = Desk { max_bad: Some(0.0), ..Desk::new() };
    let error = desk.csv(format!("id,name,phone,arpu\nSECRET,Zhang,1390x0000,{long}\n"), mapping).expect_err("refused");
    assert!(!error.to_string().contains("1390x0000"), "{error}");
    let desk = Desk::new();
    let imported =
        desk.csv(format!("id,name,phone,arpu\nSECRET,Zhang,1390x0000,{long}\n"), mapping).expect("an import");
    let rejects = std::fs::read_to_string(imported.rejects.expect("a reject file")).expect("text");
    for secret in ["SECRET", "Zhang", "1390x0000", long.as_str()] {
        assert!(!rejects.contains(secret), "{rejects}");
    }
    assert!(rejects.contains(&"9".repeat(40)), "{rejects}");
}

#[test]
fn too_many_bad_rows_refuse_everything_and_say_which() {
    let csv = "id,balance\n1,1\n2,x\n3,3\n4,\n";
    let desk = Desk { max_bad: Some(0.49), ..Desk::new() };
    let error = desk.csv(csv, BALANCE).expect_err("a refusal").to_string();
    assert!(error.contains("2 of 4 rows are bad") && error.contains("line 3, field balance"), "{error}");
    assert_eq!(desk.kept(), Vec::<String>::new());
    let desk = Desk { max_bad: Some(0.5), ..Desk::new() };
    assert_eq!(desk.csv(csv, BALANCE).expect("an import").rows, 4);
    let desk = Desk { max_bad: Some(1.5), ..Desk::new() };
    assert!(desk.csv(csv, BALANCE).expect_err("a refusal").to_string().contains("between 0 and 1"));
}

#[test]
fn blank_cells_are_bad_unless_the_mapping_says_otherwise() {
    let desk = Desk::new();
    let lenient = desk.csv("id,balance\n1, \n2,5\n", &format!("{BALANCE}blank = \"absent\"\n")).expect("an import");
    assert_eq!((lenient.counts.bad_cells, lenient.rejects), (0, None));
    let strict = desk.csv("id,balance\n1, \n2,5\n", BALANCE).expect("an import");
    assert_eq!(strict.first_faults[0].class, FaultClass::Blank);
    let found = Snapshot::open(&strict.folder).expect("a snapshot").find(keyer().key_of("1")).expect("a look-up");
    assert_eq!(found, Some(Vec::new()), "no value is not zero");
}

#[test]
fn data_without_a_key_is_keyed_by_row() {
    let desk = Desk::new();
    let mapping = "format = \"csv\"\ndelimiter = \"\\t\"\nkey = \"row-number\"\n[fields.points]\ncolumn = \"points\"\n";
    let imported = desk.csv("points\tx\n7\ta\n7\ta\n", mapping).expect("an import");
    assert_eq!(imported.rows, 2);
    let found = Snapshot::open(&imported.folder).expect("a snapshot").find(keyer().key_of("2")).expect("a look-up");
    assert_eq!(found, Some(vec![("points".to_owned(), "7".to_owned())]));
}

#[test]
fn close_contacts_travel_with_the_identity() {
    let desk = Desk::new();
    let mapping = format!(
        "{BALANCE}[identity]\nmsisdn = \"m\"\nemail = \"e\"\nclose-contacts = [{{ name = \"n1\", msisdn = \"m1\" }}, {{ name = \"n2\", msisdn = \"m2\" }}]\n"
    );
    let imported =
        desk.csv("id,balance,m,e,n1,m1,n2,m2\n1,1,100,a@example.com,林,101,黄,\n", &mapping).expect("an import");
    let people: Vec<Identity> = imported.identities.flat_map(|batch| batch.expect("a batch")).collect();
    assert_eq!((people[0].msisdn.as_str(), people[0].email.as_str()), ("100", "a@example.com"));
    assert_eq!(people[0].close_contacts.iter().map(|c| c.msisdn.as_str()).collect::<Vec<_>>(), ["101"]);
}

#[test]
fn parquet_gives_the_same_customers_as_csv() {
    let columns: [(&str, ArrayRef); 5] = [
        ("unused", Arc::new(Int64Array::from(vec![0, 0]))),
        ("on", Arc::new(Date32Array::from(vec![Some(20_663), None]))),
        ("id", Arc::new(StringArray::from(vec!["1", "2"]))),
        ("balance", Arc::new(Float64Array::from(vec![29.85, -0.1]))),
        ("stopped", Arc::new(BooleanArray::from(vec![true, false]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    let desk = Desk::new();
    let path = desk.file("customers.parquet", b"");
    let file = std::fs::File::create(&path).expect("a file");
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("a batch");
    writer.close().expect("a file");
    let fields =
        "[fields.stopped]\ncolumn = \"stopped\"\n[fields.last-top-up-on]\ncolumn = \"on\"\nblank = \"absent\"\n";
    let mapping = format!("{BALANCE}{fields}");
    let csv = desk.csv("id,balance,on,stopped\n1,29.85,2026-07-29,true\n2,-0.1,,false\n", &mapping).expect("an import");
    let from_parquet = desk.import(&path, &mapping.replace("\"csv\"", "\"parquet\"")).expect("an import");
    assert_eq!(from_parquet.id, csv.id);
    assert_eq!(from_parquet.counts.bad_cells, 0);
    let error = desk
        .import(&path, &mapping.replace("\"csv\"", "\"parquet\"").replace("\"on\"", "\"onn\""))
        .expect_err("refused");
    assert!(error.to_string().contains("Did you mean on?"), "{error}");
    let text = desk.file("text.parquet", b"id,balance\n1,2\n");
    let error = desk.import(&text, &mapping.replace("\"csv\"", "\"parquet\"")).expect_err("refused");
    assert!(error.to_string().contains("cannot be read"), "{error}");
}

#[test]
fn the_dictionary_is_sound() {
    for (name, field) in dictionary().fields {
        let own = ["own.", "event."].iter().find_map(|prefix| name.strip_prefix(prefix));
        assert!(care_domain::text::is_kebab(own.unwrap_or(&name)), "{name}");
        let texts = [&field.title, &field.description].map(|t| [t.zh.trim(), t.en.trim()]);
        assert!(texts.iter().flatten().all(|t| !t.is_empty()) && !field.stages.is_empty(), "{name}");
    }
}
