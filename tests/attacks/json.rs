//! Section C, cases 31 to 35, 37 and 39: JSON that two readers read in two ways, or that one cannot bear.

use super::corpus::Corpus;
use super::draft::{Draft, text};

const SHAPE: &str = "malform_token";

type Edit = Box<dyn Fn(&str) -> String>;

pub(super) fn add(to: &mut Corpus) {
    repeated_members(to);
    other_case(to);
    around_the_object(to);
    no_objects(to);
    no_text(to);
    depth(to);
    numbers(to);
}

fn repeated_members(to: &mut Corpus) {
    to.attack(31);
    let draft = Draft::es256;
    for (name, value) in
        [("alg", text("none")), ("kid", text("other")), ("typ", text("JWT")), ("x", "1".to_owned())]
    {
        let first = |header: &str| header.replacen('{', &format!(r#"{{"{name}":{value},"#), 1);
        let spelt = format!("\\u{:04x}{}", u32::from(name.as_bytes()[0]), &name[1..]);
        let own = draft().header(name, &value);
        to.refused(&format!("header_{name}_before"), SHAPE, own.edit_header(first));
        to.refused(&format!("header_{name}_behind"), SHAPE, own.header_again(name, &value).token());
        let escaped = draft().header("x", "1").header_again(&spelt, &value);
        to.refused(&format!("header_{name}_escaped"), SHAPE, escaped.token());
    }
    let same = draft().header_again("alg", &text("ES256"));
    to.refused("header_alg_the_same_again", SHAPE, same.token());
    let nested = draft().header("x", r#"{"a":1,"a":2}"#);
    to.refused("header_below", SHAPE, nested.token());
    for (name, value) in [
        ("iss", text("https://attacks.example/es256")),
        ("sub", text("admin")),
        ("aud", text("https://attacks.example")),
        ("exp", "9999999999".to_owned()),
        ("iat", "1".to_owned()),
        ("jti", text("2")),
        ("client_id", text("other")),
        ("scope", text("attacks:admin")),
    ] {
        let first = |claims: &str| claims.replacen('{', &format!(r#"{{"{name}":{value},"#), 1);
        let spelt = format!("\\u{:04X}{}", u32::from(name.as_bytes()[0]), &name[1..]);
        to.refused(&format!("claims_{name}_before"), SHAPE, draft().edit_claims(first));
        to.refused(&format!("claims_{name}_behind"), SHAPE, draft().claim_again(name, &value).token());
        to.refused(&format!("claims_{name}_escaped"), SHAPE, draft().claim_again(&spelt, &value).token());
    }
    for (name, value) in [
        ("below", r#"{"a":1,"a":2}"#),
        ("far_below", r#"{"a":[{"b":{"c":1,"c":1}}]}"#),
        ("in_an_array", r#"[{"a":1,"a":2}]"#),
        ("empty_names", r#"{"":1,"":2}"#),
        ("proto", r#"{"__proto__":1,"__proto__":2}"#),
        ("escaped_below", r#"{"a":1,"\u0061":2}"#),
    ] {
        to.refused(&format!("claims_{name}"), SHAPE, draft().claim("x", value).token());
    }
    to.passes("same_name_in_two_objects", draft().claim("x", r#"[{"a":1},{"a":2}]"#).token());
    to.passes("proto_once", draft().claim("__proto__", r#"{"sub":"admin"}"#).token());
}

fn other_case(to: &mut Corpus) {
    to.attack(32);
    let draft = Draft::es256;
    // Beside the real one it is a member that means nothing.
    for (about, name, value) in [
        ("Alg", "Alg", "none"),
        ("ALG", "ALG", "HS256"),
        ("Kid", "Kid", "other"),
        ("Typ", "Typ", "JWT"),
        ("alg_in_full_width", "al\u{ff47}", "none"),
    ] {
        let token = draft().header(name, &text(value)).token();
        to.passes(&format!("header_{about}_beside"), token);
    }
    for (name, value) in [
        ("Exp", "1"),
        ("EXP", "\"x\""),
        ("Aud", "7"),
        ("Iss", "[]"),
        ("Sub", "\"\""),
        ("Cnf", "{}"),
        ("Nbf", "4102444799"),
    ] {
        to.passes(&format!("claims_{name}_beside"), draft().claim(name, value).token());
    }
    // In its place, it is not there.
    for (name, other, reason) in [("alg", "Alg", SHAPE), ("alg", "ALG", SHAPE), ("typ", "Typ", "reject_type")]
    {
        let token = draft().edit_header(|header| header.replace(&text(name), &text(other)));
        to.refused(&format!("header_{other}_instead"), reason, token);
    }
    for (about, name, other, reason) in [
        ("Exp", "exp", "Exp", "lack_claim exp"),
        ("EXP", "exp", "EXP", "lack_claim exp"),
        ("Aud", "aud", "Aud", "reject_audience"),
        ("ISS", "iss", "ISS", "lack_claim iss"),
        ("iss_without_dot", "iss", "\u{131}ss", "lack_claim iss"),
        ("Sub", "sub", "Sub", "lack_claim sub"),
        ("sub_with_long_s", "sub", "\u{17f}ub", "lack_claim sub"),
        ("Jti", "jti", "Jti", "lack_claim jti"),
        ("clientId", "client_id", "clientId", "lack_claim client_id"),
        ("Iat", "iat", "Iat", "lack_claim iat"),
    ] {
        let token = draft().edit_claims(|claims| claims.replace(&text(name), &text(other)));
        to.refused(&format!("claims_{about}_instead"), reason, token);
    }
    let scope = draft().edit_claims(|claims| claims.replace(&text("scope"), &text("Scope")));
    to.lacks_scope("claims_Scope_instead", scope);
}

fn around_the_object(to: &mut Corpus) {
    to.attack(33);
    let draft = Draft::es256();
    let inside = |text: &str, more: &str| text.replacen('{', &format!("{{{more},"), 1);
    let behind = |more: &'static str| -> Edit { Box::new(move |text| format!("{text}{more}")) };
    let before = |more: &'static str| -> Edit { Box::new(move |text| format!("{more}{text}")) };
    let member = |more: &'static str| -> Edit { Box::new(move |text| inside(text, more)) };
    let edits: Vec<(&str, Edit)> = vec![
        ("letter_behind", behind("x")),
        ("brace_behind", behind("}")),
        ("bracket_behind", behind("]")),
        ("comma_behind", behind(",")),
        ("object_behind", behind("{}")),
        ("itself_behind", Box::new(|text| text.repeat(2))),
        ("line_and_object_behind", behind("\n{}")),
        ("nul_behind", behind("\0")),
        ("nul_before", before("\0")),
        ("bom_before", before("\u{feff}")),
        ("bom_behind", behind("\u{feff}")),
        ("form_feed_before", before("\u{c}")),
        ("vertical_tab_behind", behind("\u{b}")),
        ("no_break_space_before", before("\u{a0}")),
        ("line_separator_behind", behind("\u{2028}")),
        ("hijacking_prefix", before(")]}'\n")),
        ("comment_before", before("/**/")),
        ("comment_behind", behind("/**/")),
        ("line_comment_behind", behind("//x")),
        ("hash_behind", behind("#x")),
        ("comment_inside", Box::new(move |text| text.replacen('{', "{/**/", 1))),
        ("single_quotes", Box::new(|text| text.replace('"', "'"))),
        ("no_quotes", Box::new(|text| text.replacen(r#""alg""#, "alg", 1).replacen(r#""iss""#, "iss", 1))),
        ("last_comma", Box::new(|text| text.replacen('}', ",}", 1))),
        ("first_comma", Box::new(|text| text.replacen('{', "{,", 1))),
        ("two_commas", Box::new(|text| text.replacen(',', ",,", 1))),
        ("no_comma", Box::new(|text| text.replacen(',', " ", 1))),
        ("no_colon", Box::new(|text| text.replacen(':', " ", 1))),
        ("equals_sign", Box::new(|text| text.replacen(':', "=", 1))),
        ("never_closed", Box::new(|text| text.trim_end_matches('}').to_owned())),
        ("never_opened", Box::new(|text| text.trim_start_matches('{').to_owned())),
        ("closed_otherwise", Box::new(|text| text.replacen('}', "]", 1))),
        ("cut_in_a_string", Box::new(|text| text[..text.len() - 2].to_owned())),
        ("nan", member(r#""x":NaN"#)),
        ("minus_nan", member(r#""x":-NaN"#)),
        ("infinity", member(r#""x":Infinity"#)),
        ("minus_infinity", member(r#""x":-Infinity"#)),
        ("undefined", member(r#""x":undefined"#)),
        ("upper_case_true", member(r#""x":True"#)),
        ("python_none", member(r#""x":None"#)),
        ("leading_zero", member(r#""x":01"#)),
        ("leading_plus", member(r#""x":+1"#)),
        ("leading_point", member(r#""x":.5"#)),
        ("last_point", member(r#""x":5."#)),
        ("hex_number", member(r#""x":0x10"#)),
        ("underscore_number", member(r#""x":1_000"#)),
        ("hex_escape", member(r#""x":"\x41""#)),
        ("octal_escape", member(r#""x":"\101""#)),
        ("quote_escape", member(r#""x":"\'""#)),
        ("brace_escape", member(r#""x":"\u{41}""#)),
        ("short_escape", member(r#""x":"\u41""#)),
        ("last_backslash", member(r#""x":"\""#)),
        ("bare_tab", member("\"x\":\"\t\"")),
        ("bare_line_feed", member("\"x\":\"\n\"")),
        ("bare_escape", member("\"x\":\"\u{1b}\"")),
        ("number_as_name", member("1:2")),
        ("null_as_name", member("null:2")),
    ];
    for (name, edit) in edits {
        to.refused(&format!("header_{name}"), SHAPE, draft.edit_header(&edit));
        to.refused(&format!("claims_{name}"), SHAPE, draft.edit_claims(&edit));
    }
    // RFC 8259 section 2: white space around any token.
    let spaced = |text: &str| format!(" \t\r\n{}\n ", text.replace(':', " : ").replace(',', "\r\n,\t"));
    let spaced = |text: &str| spaced(&text.replace("https:", "https;")).replace("https;", "https:");
    to.passes("header_white_space", draft.edit_header(spaced));
    to.passes("claims_white_space", draft.edit_claims(spaced));
}

fn no_objects(to: &mut Corpus) {
    to.attack(34);
    let draft = Draft::es256();
    let (header, claims) = (draft.header_text(), draft.claims_text());
    for (name, text) in [
        ("nothing", ""),
        ("space", " "),
        ("null", "null"),
        ("true", "true"),
        ("number", "7"),
        ("text", r#""x""#),
        ("array", "[]"),
        ("nested_array", "[[[]]]"),
        ("unquoted", "alg"),
    ] {
        to.refused(&format!("header_{name}"), SHAPE, draft.sign(text.as_bytes(), claims.as_bytes()));
        to.refused(&format!("claims_{name}"), SHAPE, draft.sign(header.as_bytes(), text.as_bytes()));
    }
    to.refused("header_in_an_array", SHAPE, draft.edit_header(|header| format!("[{header}]")));
    to.refused("claims_in_an_array", SHAPE, draft.edit_claims(|claims| format!("[{claims}]")));
    let quoted = |json: &str| serde_json::to_string(json).unwrap();
    to.refused("header_in_text", SHAPE, draft.edit_header(quoted));
    to.refused("claims_in_text", SHAPE, draft.edit_claims(quoted));
    to.refused("header_empty_object", SHAPE, draft.sign(b"{}", claims.as_bytes()));
    to.refused("claims_empty_object", "lack_claim iss", draft.sign(header.as_bytes(), b"{}"));
    to.refused("claims_as_header", SHAPE, draft.sign(claims.as_bytes(), claims.as_bytes()));
    to.refused("header_as_claims", "lack_claim iss", draft.sign(header.as_bytes(), header.as_bytes()));
}

fn no_text(to: &mut Corpus) {
    to.attack(35);
    let draft = Draft::es256();
    let (header, claims) = (draft.header_text(), draft.claims_text());
    let with = |json: &str, bytes: &[u8]| {
        let (open, rest) = json.split_at(1);
        [open.as_bytes(), br#""x":""#, bytes, br#"","#, rest.as_bytes()].concat()
    };
    for (name, bytes) in [
        ("byte_ff", b"\xff".as_slice()),
        ("byte_80", b"\x80"),
        ("latin_1", b"\xe9"),
        ("overlong_slash", b"\xc0\xaf"),
        ("overlong_nul", b"\xc0\x80"),
        ("overlong_quote", b"\xc0\xa2"),
        ("overlong_in_three", b"\xe0\x80\xaf"),
        ("overlong_in_four", b"\xf0\x80\x80\xaf"),
        ("surrogate", b"\xed\xa0\x80"),
        ("pair_of_surrogates", b"\xed\xa0\xbd\xed\xb8\x80"),
        ("above_the_last", b"\xf4\x90\x80\x80"),
        ("five_bytes", b"\xf8\x88\x80\x80\x80"),
        ("cut_off", b"\xe2\x82"),
        ("nul", b"\0"),
        ("high_surrogate_escaped", br"\ud800"),
        ("low_surrogate_escaped", br"\udc00"),
        ("surrogates_swapped", br"\udc00\ud800"),
        ("surrogate_and_letter", br"\ud800\u0041"),
        ("surrogate_and_end", br"\ud83d"),
        ("surrogate_twice", br"\ud800\ud800"),
        ("surrogate_and_n", br"\ud800\n"),
    ] {
        to.refused(&format!("header_{name}"), SHAPE, draft.sign(&with(&header, bytes), claims.as_bytes()));
        to.refused(&format!("claims_{name}"), SHAPE, draft.sign(header.as_bytes(), &with(&claims, bytes)));
    }
    let wide = |json: &str| json.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    to.refused("header_utf_16", SHAPE, draft.sign(&wide(&header), claims.as_bytes()));
    to.refused("claims_utf_16", SHAPE, draft.sign(header.as_bytes(), &wide(&claims)));
    for (name, value) in [
        ("nul_escaped", r#""a\u0000b""#),
        ("pair_escaped", r#""\ud83d\ude00""#),
        ("emoji", "\"\u{1f600}\""),
        ("last_of_plane_0", "\"\u{ffff}\""),
        ("backwards", r#""\u202eb""#),
    ] {
        to.passes(&format!("claims_{name}"), Draft::es256().claim("sub", value).token());
    }
}

fn depth(to: &mut Corpus) {
    to.attack(37);
    let draft = Draft::es256;
    let arrays = |deep: usize| format!("{}{}", "[".repeat(deep), "]".repeat(deep));
    let objects = |deep: usize| format!("{}1{}", r#"{"a":"#.repeat(deep), "}".repeat(deep));
    // With the object around it, 32 deep.
    to.passes("header_31_arrays", draft().header("x", &arrays(31)).token());
    to.passes("claims_31_arrays", draft().claim("x", &arrays(31)).token());
    to.passes("claims_31_objects", draft().claim("x", &objects(31)).token());
    for deep in [32, 33, 64, 500, 1000, 4000] {
        to.refused(&format!("header_{deep}_arrays"), SHAPE, draft().header("x", &arrays(deep)).token());
        to.refused(&format!("claims_{deep}_arrays"), SHAPE, draft().claim("x", &arrays(deep)).token());
    }
    for deep in [32, 33, 1000, 1800] {
        to.refused(&format!("header_{deep}_objects"), SHAPE, draft().header("x", &objects(deep)).token());
        to.refused(&format!("claims_{deep}_objects"), SHAPE, draft().claim("x", &objects(deep)).token());
    }
    for (name, text) in [
        ("arrays", "[".repeat(11_000)),
        ("objects", r#"{"a":"#.repeat(2200)),
        ("mixed", r#"[{"a":"#.repeat(1800)),
        ("closing", "]".repeat(11_000)),
    ] {
        let token = draft().sign(draft().header_text().as_bytes(), text.as_bytes());
        to.refused(&format!("claims_never_closed_{name}"), SHAPE, token);
        let token = draft().sign(text.as_bytes(), draft().claims_text().as_bytes());
        to.refused(&format!("header_never_closed_{name}"), SHAPE, token);
    }
    for deep in [10_000, 100_000] {
        to.refused(
            &format!("header_{deep}_arrays"),
            "reject_size",
            draft().header("x", &arrays(deep)).token(),
        );
        to.refused(
            &format!("claims_{deep}_arrays"),
            "reject_size",
            draft().claim("x", &arrays(deep)).token(),
        );
        to.refused(
            &format!("claims_{deep}_objects"),
            "reject_size",
            draft().claim("x", &objects(deep)).token(),
        );
    }
}

fn numbers(to: &mut Corpus) {
    to.attack(39);
    let draft = Draft::es256;
    for (name, value) in [
        ("1e308", "1e308"),
        ("minus_zero", "-0"),
        ("minus_zero_point", "-0.0"),
        ("tiny", "1e-400"),
        ("i64_and_one", "9223372036854775808"),
        ("u64_and_one", "18446744073709551616"),
        ("300_digits", &"9".repeat(300)),
        ("1000_zeros", &format!("0.{}", "0".repeat(1000))),
        ("1000_digits_behind", &format!("1.{}", "9".repeat(1000))),
    ] {
        to.passes(&format!("claim_{name}"), draft().claim("x", value).token());
        to.passes(&format!("header_{name}"), draft().header("x", value).token());
    }
    for (name, value) in [
        ("1e309", "1e309"),
        ("1e400", "1e400"),
        ("minus_1e400", "-1e400"),
        ("400_digits", &"9".repeat(400)),
        ("long_exponent", "1e99999999999999999999"),
        ("no_exponent", "1e"),
        ("two_points", "1.2.3"),
        ("two_signs", "--1"),
    ] {
        to.refused(&format!("claim_{name}"), SHAPE, draft().claim("x", value).token());
        to.refused(&format!("header_{name}"), SHAPE, draft().header("x", value).token());
        to.refused(&format!("exp_{name}"), SHAPE, draft().claim("exp", value).token());
    }
    for value in [
        "4102444800.0",
        "4102444800.5",
        "4.1024448e9",
        "41024448E2",
        "4102444800e0",
        "4102444800.000000000000001",
    ] {
        to.passes(&format!("exp_{value}"), draft().claim("exp", value).token());
    }
    for (value, reason) in [
        ("1e308", "malform_claim exp"),
        ("1e18", "malform_claim exp"),
        ("9223372036854775807", "malform_claim exp"),
        ("9223372036854775808", "malform_claim exp"),
        ("18446744073709551616", "malform_claim exp"),
        ("253402300800", "malform_claim exp"),
        ("-1e308", "malform_claim exp"),
        ("-0", "expire_token"),
        ("0e999", "expire_token"),
        ("1e-308", "expire_token"),
        ("1.0", "expire_token"),
        ("1e3", "expire_token"),
    ] {
        to.refused(&format!("exp_{value}"), reason, draft().claim("exp", value).token());
    }
    to.passes("exp_as_late_as_may_be", draft().claim("exp", "253402300799").token());
}

tests! {
    31 attack_31_repeated_members;
    32 attack_32_members_of_another_case;
    33 attack_33_what_is_not_quite_json;
    34 attack_34_what_is_no_object;
    35 attack_35_what_is_no_text;
    37 attack_37_depth;
    39 attack_39_numbers;
}
