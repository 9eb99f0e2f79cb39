//! Section D, cases 44 and 45, to the second: with a clock that stands still. Not in the corpus, whose tokens have
//! to be right for decades.

use super::draft::Draft;

/// The clock of the fakes.
const NOW: i64 = 1_800_000_000;
/// How far the clock of an issuer of `tollgate.json` may be off.
const LEEWAY: i64 = 30;

fn expect(name: &str, rows: &[(&str, i64, u16)]) {
    let world = super::world();
    let edge = world.edge();
    for (fraction, seconds, status) in rows {
        let value = format!("{}{fraction}", NOW + seconds);
        let token = Draft::es256().claim(name, &value).token();
        for _ in 0..2 {
            assert_eq!(super::status(&edge, &token), *status, "{name} {value}");
        }
    }
}

#[test]
fn attack_44_exp_to_the_second() {
    expect(
        "exp",
        &[
            ("", 1, 200),
            ("", 0, 200),
            ("", -1, 200),
            ("", -LEEWAY + 1, 200),
            (".001", -LEEWAY, 200),
            ("", -LEEWAY, 401),
            (".999", -LEEWAY - 1, 401),
            ("", -LEEWAY - 1, 401),
            ("", -NOW, 401),
        ],
    );
}

#[test]
fn attack_45_nbf_and_iat_to_the_second() {
    for name in ["nbf", "iat"] {
        expect(
            name,
            &[
                ("", -NOW, 200),
                ("", 0, 200),
                ("", 1, 200),
                ("", LEEWAY - 1, 200),
                ("", LEEWAY, 200),
                (".001", LEEWAY, 401),
                ("", LEEWAY + 1, 401),
                ("", 86_400, 401),
            ],
        );
    }
}

#[test]
fn attack_44_and_52_a_token_that_was_good_ends_on_time_all_the_same() {
    use tollgate::time::Lifetime;
    let world = super::world();
    let edge = world.edge();
    let token = Draft::es256().claim("exp", &(NOW + 10).to_string()).token();
    assert_eq!(super::status(&edge, &token), 200);
    world.pass(Lifetime::from_seconds(39));
    assert_eq!((super::status(&edge, &token), world.verified.get()), (200, 1));
    world.pass(Lifetime::from_seconds(1));
    assert_eq!(super::status(&edge, &token), 401);
}
