use super::*;

const SECRET: &str = "pa ss/w&rd+1\"é";

/// Passes on at most so many bytes at a time, and an error once in between.
struct Dribble<'a> {
    bytes: &'a [u8],
    step: usize,
}

impl Read for Dribble<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.step.min(out.len()).min(self.bytes.len());
        out[..n].copy_from_slice(&self.bytes[..n]);
        self.bytes = &self.bytes[n..];
        Ok(n)
    }
}

fn masked(redactor: &Redactor, text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    redactor.bytes(&mut bytes, Kind::Text);
    String::from_utf8(bytes).unwrap()
}

/// What is left of a text that holds one value, which is written as `SECRET` here.
fn rule(text: &str) -> bool {
    let redactor = Redactor::new([]);
    let (before, after) = text.split_once("SECRET").unwrap();
    let expected = format!("{before}******{after}");
    let got = masked(&redactor, text);
    if got != expected {
        eprintln!("{got}\n  instead of\n{expected}");
    }
    got == expected
}

#[test]
fn own_secrets_are_masked_in_every_form_and_lengths_stay() {
    let redactor = Redactor::new([SECRET]);
    let forms = [
        SECRET,
        "pa%20ss%2Fw%26rd%2B1%22%C3%A9",
        "pa%20ss%2fw%26rd%2b1%22%c3%a9",
        "pa%20ss/w%26rd%2B1%22%C3%A9",
        "pa%20ss/w&rd+1%22%C3%A9",
        "pa+ss%2Fw%26rd%2B1%22%C3%A9",
        "pa%2520ss%252Fw%2526rd%252B1%2522%25C3%25A9",
        "pa ss/w&rd+1\\\"é",
        "pa ss\\/w&rd+1\\\"é",
        "pa ss/w&rd+1\\\"\\u00e9",
        "pa ss/w\\u0026rd+1\\\"\\u00E9",
        "pa ss/w&amp;rd+1\"é",
        "pa ss/w&amp;rd+1&quot;é",
        "pa ss&#x2f;w&amp;rd+1&#34;é",
    ];
    for form in forms {
        let text = format!("x{form}y");
        assert_eq!(masked(&redactor, &text), format!("x{}y", "*".repeat(form.len())), "{form}");
        assert!(redactor.finds_own_secret(&text), "{form}");
    }
    assert!(!redactor.finds_own_secret("PA SS/W&RD+1\"é password=x"));
}

#[test]
fn own_secrets_are_masked_in_base64_wherever_they_begin() {
    let redactor = Redactor::new([SECRET]);
    for engine in [
        base64::engine::general_purpose::STANDARD,
        base64::engine::general_purpose::URL_SAFE,
        base64::engine::general_purpose::STANDARD_NO_PAD,
    ] {
        use base64::Engine;
        for before in 0..7 {
            let plain = format!("{}{SECRET}:tail", "u".repeat(before));
            let text = engine.encode(&plain);
            let out = masked(&redactor, &text);
            assert_eq!(out.len(), text.len());
            assert!(out.matches('*').count() >= SECRET.len() * 4 / 3 - 1, "{text} {out}");
        }
        let out = masked(&redactor, &format!("Basic {}", engine.encode(SECRET)));
        assert!(out.trim_start_matches("Basic ").trim_matches('*').len() <= 2, "{out}");
    }
}

#[test]
fn own_secrets_are_masked_in_utf16() {
    let redactor = Redactor::new(["s3cret-é"]);
    for bytes in [u16::to_le_bytes, u16::to_be_bytes] {
        let mut text: Vec<u8> = "a s3cret-é b".encode_utf16().flat_map(bytes).collect();
        assert_eq!(redactor.bytes(&mut text, Kind::Binary), 1);
        // The zero of a neighbour may look like the zero of the other byte order.
        assert!(text.iter().filter(|byte| **byte == b'*').count() <= 17);
        assert!(!text.contains(&b's') && text.starts_with(b"a") | text.ends_with(b"b"));
    }
}

#[test]
fn overlapping_secrets_are_masked_whole() {
    let redactor = Redactor::new(["abcdef", "abcdefgh", "fghij", "cdef"]);
    assert_eq!(masked(&redactor, "-abcdefghij-abcdefgh-cdefg"), "-**********-********-****g");
}

#[test]
fn a_secret_equal_to_a_name_does_not_hide_the_values_of_that_name() {
    let redactor = Redactor::new(["password"]);
    assert_eq!(masked(&redactor, "password=hunter2&x"), "********=*******&x");
}

#[test]
fn lines_of_a_key_file_are_secrets_and_its_first_line_is_none() {
    let key = "-----BEGIN KEY-----\r\nMIIabcdefgh\r\nijklmnopqrs\r\n-----END KEY-----\r\n";
    let redactor = Redactor::new([key]);
    let out = masked(&redactor, "-----BEGIN KEY-----\\nMIIabcdefgh\\nijklmnopqrs\\n");
    assert_eq!(out, "-----BEGIN KEY-----\\n***********\\n***********\\n");
}

#[test]
fn secrets_of_three_bytes_are_counted_and_not_masked() {
    let redactor = Redactor::new(["abc", "", " \n", "wxyz"]);
    assert_eq!(redactor.too_short(), 1);
    assert_eq!(masked(&redactor, "abc wxyz"), "abc ****");
    assert!(!format!("{redactor:?}").contains("wxyz"));
}

#[test]
fn values_of_rules_are_masked_as_marvin_and_others_write_them() {
    for text in [
        "GET http://h/api?apiKey=SECRET&command=listUsers",
        "?command=x&signature=SECRET HTTP/1.1",
        "sessionkey=SECRET",
        "PASSWORD=SECRET\n",
        "userpassword=SECRET;",
        "password = SECRET # ini",
        "&secretkey=SECRET&",
        "'secretkey': u'SECRET'",
        "secret_key: SECRET\nnext: 1",
        "aws_secret_access_key = SECRET",
        "password: SECRET\nnext: 1",
        "{'apiKey': 'SECRET', 'command': 'x'}",
        "{'apiKey': u'SECRET', 'command': 'x'}",
        "{b'apiKey': b'SECRET'}",
        "{\"password\":\"SECRET\"}",
        "\"{\\\"password\\\": \\\"SECRET\\\"}\"",
        "{password : u'SECRET', id : 1}",
        ":password => \"SECRET\"",
        "<password>SECRET</password>",
        "<td>&quot;password&quot;: &quot;SECRET&quot;</td>",
        "redirect=http%3A%2F%2Fh%2F%3FapiKey%3DSECRET%26x%3D1",
        "q=%7B%22password%22%3A%22SECRET%22%7D",
        "nested%3FapiKey%253DSECRET%2526x",
        "\"apikey\\u003dSECRET\\u0026x\"",
        "x=\"password=SECRET\"",
        "(password=SECRET)",
        "password=SECRET, then",
    ] {
        assert!(rule(text), "{text}");
    }
}

#[test]
fn a_quoted_value_may_hold_blanks_and_escaped_quotation_marks() {
    let redactor = Redactor::new([]);
    assert_eq!(
        masked(&redactor, r#""password": "a \"b\", c", x"#),
        r#""password": "**********", x"#
    );
    assert_eq!(masked(&redactor, "password='open\nnext"), "password='****\nnext");
}

#[test]
fn words_that_only_contain_a_name_are_left_alone() {
    let redactor = Redactor::new([]);
    for text in ["passwordenabled=true", "a password is needed", "password", "passwords=3", "="] {
        assert_eq!(masked(&redactor, text), text);
        assert!(matches!(redactor.text(text), Cow::Borrowed(_)));
    }
}

#[test]
fn binaries_are_searched_for_own_secrets_only() {
    let mut bytes = b"\0password=x own-secret\0".to_vec();
    assert_eq!(Redactor::new(["own-secret"]).bytes(&mut bytes, Kind::Binary), 1);
    assert_eq!(bytes, b"\0password=x **********\0");
    assert!(Redactor::new([]).is_idle(Kind::Binary));
    assert!(!Redactor::new([]).is_idle(Kind::Text));
}

#[test]
fn a_value_longer_than_every_buffer_is_masked_to_its_end() {
    let text = format!("apiKey={}&x={}", "k".repeat(300_000), "v".repeat(100_000));
    let mut out = String::new();
    let mut reader = Redactor::new([]).reader(text.as_bytes(), Kind::Text);
    reader.read_to_string(&mut out).unwrap();
    assert!(out == text.replace('k', "*") && reader.masked() == 1);
}

#[test]
fn an_error_of_the_source_comes_through_and_loses_nothing() {
    struct Fails(bool);
    impl Read for Fails {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            self.0 = !self.0;
            if self.0 { Err(io::Error::other("disk")) } else { Ok(0) }
        }
    }
    let source = io::Cursor::new("secret-value!").chain(Fails(false));
    let mut reader = Redactor::new(["secret-value"]).reader(source, Kind::Text);
    let mut out = [0; 64];
    assert_eq!(reader.read(&mut out).unwrap_err().to_string(), "disk");
    assert_eq!(reader.read(&mut out).unwrap(), 13);
    assert_eq!(&out[..13], b"************!");
}

#[test]
fn the_result_depends_neither_on_the_sizes_of_reads_nor_on_how_often_it_is_masked() {
    let secrets = ["own-secret", "secret-tail", "xyxyxyx", SECRET, "a b'c d"];
    let pieces = [
        "own-secret",
        "own-sec",
        "secret-tail",
        "xyxy",
        "xyx",
        SECRET,
        "pa%20ss%2Fw",
        "a b'c d",
        "apiKey",
        "signature",
        "PassWord",
        "sessionkey",
        "=",
        ": ",
        "%3D",
        "%26",
        "'",
        "\"",
        "\\\"",
        "\\",
        "&",
        " ",
        "\n",
        "<",
        ">",
        ";",
        "é",
        "value",
        "&quot;",
        "u'",
        ",",
        "zz",
    ];
    let redactor = Redactor::new(secrets);
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..400 {
        let text: String =
            (0..random.usize(1..60)).map(|_| pieces[random.usize(..pieces.len())]).collect();
        let mut whole = text.clone().into_bytes();
        let places = redactor.bytes(&mut whole, Kind::Text);
        let mut again = whole.clone();
        redactor.bytes(&mut again, Kind::Text);
        assert_eq!(again, whole, "masked twice: {text:?}");
        for secret in secrets {
            assert!(!String::from_utf8_lossy(&whole).contains(secret), "{text:?}");
        }
        // Windows that are only just larger than what must be held back meet every border.
        for chunk in 1..8 {
            let source = Dribble { bytes: text.as_bytes(), step: random.usize(1..40) };
            let mut reader = redactor.reader(source, Kind::Text);
            reader.window.bytes.truncate(reader.hold + chunk);
            let (mut out, mut part) = (Vec::new(), vec![0; random.usize(1..50)]);
            loop {
                let n = reader.read(&mut part).unwrap();
                if n == 0 {
                    break;
                }
                out.extend_from_slice(&part[..n]);
            }
            assert_eq!(out, whole, "round {round}, {chunk} more than held back: {text:?}");
            assert_eq!(reader.masked(), places, "{text:?}");
        }
    }
}
