//! Households per second on one core, beside the `fake` crate's Japanese names.
//!
//! `cargo bench --bench persona`; the ratio to Python Faker: `benches/persona_vs_faker.py`.

use fake::Fake;
use fake::faker::name::raw::Name;
use fake::locales::JA_JP;
use otori::persona::{Generator, Locale, Seeds, Shape};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use time::macros::date;

const EACH: usize = 10_000;

fn main() {
    divan::main();
}

fn households(bencher: divan::Bencher, locale: Locale, shape: &Shape) {
    let generator = Generator::new(&Seeds::embedded(), locale);
    let on = date!(2026 - 11 - 01);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    bencher
        .counter(divan::counter::ItemsCount::new(EACH))
        .bench_local(|| {
            for _ in 0..EACH {
                divan::black_box(generator.household(&mut rng, on, shape));
            }
        });
}

/// Names with kana, address with kana, birth, phones, mail.
#[divan::bench(sample_count = 20)]
fn otori_japan(bencher: divan::Bencher) {
    households(bencher, Locale::JaJp, &Shape::default());
}

/// The same with one to three children.
#[divan::bench(sample_count = 20)]
fn otori_japan_families(bencher: divan::Bencher) {
    households(bencher, Locale::JaJp, &Shape::families(3..=18));
}

#[divan::bench(sample_count = 20)]
fn otori_united_states(bencher: divan::Bencher) {
    households(bencher, Locale::EnUs, &Shape::default());
}

/// A name without kana, and nothing else.
#[divan::bench(sample_count = 20)]
fn fake_crate_japanese_name(bencher: divan::Bencher) {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    bencher
        .counter(divan::counter::ItemsCount::new(EACH))
        .bench_local(|| {
            for _ in 0..EACH {
                divan::black_box(Name(JA_JP).fake_with_rng::<String, _>(&mut rng));
            }
        });
}

/// Reading the tables and preparing them, once per process.
#[divan::bench(sample_count = 5)]
fn prepare_japan() -> Generator {
    Generator::new(&Seeds::embedded(), Locale::JaJp)
}
