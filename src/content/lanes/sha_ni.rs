//! The rounds of four messages with the SHA instructions of x86-64, one message's between those of
//! the others.
//!
//! The instructions keep the eight words a to h as (a, b, e, f) and (c, d, g, h); each does two
//! rounds, with two words of the message and their constants in the lower half of its third
//! operand (Intel, "Intel SHA Extensions", 2013).

use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_alignr_epi8, _mm_extract_epi32, _mm_set_epi32, _mm_set_epi64x,
    _mm_setzero_si128, _mm_sha256msg1_epu32, _mm_sha256msg2_epu32, _mm_sha256rnds2_epu32,
    _mm_shuffle_epi8, _mm_shuffle_epi32,
};

use super::{Block, LANES, State};

/// The constants of the rounds, four words a time (FIPS 180-4, 4.2.2).
#[rustfmt::skip]
const K: [[u32; 4]; 16] = [
    [0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5], [0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5],
    [0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3], [0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174],
    [0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc], [0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da],
    [0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7], [0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967],
    [0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13], [0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85],
    [0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3], [0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070],
    [0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5], [0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3],
    [0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208], [0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2],
];

/// Does something for each message. Written out, all of them stay in registers however little the
/// compiler unrolls.
macro_rules! each {
    ($n:ident => $($work:tt)*) => {
        { const $n: usize = 0; $($work)* }
        { const $n: usize = 1; $($work)* }
        { const $n: usize = 2; $($work)* }
        { const $n: usize = 3; $($work)* }
    };
}

/// Whether the processor has the instructions.
pub(super) fn is_there() -> bool {
    is_x86_feature_detected!("sha")
        && is_x86_feature_detected!("ssse3")
        && is_x86_feature_detected!("sse4.1")
}

/// Takes the blocks of each message into its state, as many as the shortest has. Returns whether it
/// did: this processor may not have the instructions.
#[multiversion::multiversion(targets("x86_64+sha+sse2+ssse3+sse4.1"))]
pub(super) fn compress(states: &mut [State; LANES], blocks: [&[Block]; LANES]) -> bool {
    multiversion::target::match_target! {
        "x86_64+sha+sse2+ssse3+sse4.1" => {
            rounds(states, blocks);
            true
        }
        _ => {
            let _ = (states, blocks);
            false
        }
    }
}

#[target_feature(enable = "sha,sse2,ssse3,sse4.1")]
fn rounds(states: &mut [State; LANES], blocks: [&[Block]; LANES]) {
    let zero = _mm_setzero_si128();
    let (mut abef, mut cdgh) = ([zero; LANES], [zero; LANES]);
    for (lane, state) in states.iter().enumerate() {
        let [a, b, c, d, e, f, g, h] = state.map(u32::cast_signed);
        abef[lane] = _mm_set_epi32(a, b, e, f);
        cdgh[lane] = _mm_set_epi32(c, d, g, h);
    }
    let [first, second, third, fourth] = blocks;
    let blocks = first.iter().zip(second).zip(third).zip(fourth);
    for (((first, second), third), fourth) in blocks {
        let block = [first, second, third, fourth];
        let before = (abef, cdgh);
        let mut words = [[zero; 4]; LANES];
        macro_rules! four_rounds {
            ($four:literal, $k:expr) => {
                let k = four_words($k);
                each!(N =>
                    let k = _mm_add_epi32(words[N][$four], k);
                    cdgh[N] = _mm_sha256rnds2_epu32(cdgh[N], abef[N], k);
                    abef[N] = _mm_sha256rnds2_epu32(abef[N], cdgh[N], _mm_shuffle_epi32(k, 0x0e));
                );
            };
        }
        each!(N => let block = block[N];
            words[N] = [load(block, 0), load(block, 16), load(block, 32), load(block, 48)];);
        four_rounds!(0, K[0]);
        four_rounds!(1, K[1]);
        four_rounds!(2, K[2]);
        four_rounds!(3, K[3]);
        for k in K[4..].as_chunks::<4>().0 {
            each!(N => let [a, b, c, d] = words[N]; words[N][0] = next(a, b, c, d););
            four_rounds!(0, k[0]);
            each!(N => let [a, b, c, d] = words[N]; words[N][1] = next(b, c, d, a););
            four_rounds!(1, k[1]);
            each!(N => let [a, b, c, d] = words[N]; words[N][2] = next(c, d, a, b););
            four_rounds!(2, k[2]);
            each!(N => let [a, b, c, d] = words[N]; words[N][3] = next(d, a, b, c););
            four_rounds!(3, k[3]);
        }
        each!(N =>
            abef[N] = _mm_add_epi32(abef[N], before.0[N]);
            cdgh[N] = _mm_add_epi32(cdgh[N], before.1[N]);
        );
    }
    for (lane, state) in states.iter_mut().enumerate() {
        let (abef, cdgh) = (abef[lane], cdgh[lane]);
        let (a, b) = (_mm_extract_epi32(abef, 3), _mm_extract_epi32(abef, 2));
        let (c, d) = (_mm_extract_epi32(cdgh, 3), _mm_extract_epi32(cdgh, 2));
        let (e, f) = (_mm_extract_epi32(abef, 1), _mm_extract_epi32(abef, 0));
        let (g, h) = (_mm_extract_epi32(cdgh, 1), _mm_extract_epi32(cdgh, 0));
        *state = [a, b, c, d, e, f, g, h].map(i32::cast_unsigned);
    }
}

#[inline]
#[target_feature(enable = "sse2")]
fn four_words([a, b, c, d]: [u32; 4]) -> __m128i {
    let [a, b, c, d] = [a, b, c, d].map(u32::cast_signed);
    _mm_set_epi32(d, c, b, a)
}

/// Four words of a block from this byte on, which are big-endian there.
#[inline]
#[target_feature(enable = "sse2,ssse3")]
fn load(block: &Block, from: usize) -> __m128i {
    let bytes = block[from..].as_chunks::<8>().0;
    let (low, high) = (i64::from_le_bytes(bytes[0]), i64::from_le_bytes(bytes[1]));
    let turned = _mm_set_epi64x(0x0c0d_0e0f_0809_0a0b, 0x0405_0607_0001_0203);
    _mm_shuffle_epi8(_mm_set_epi64x(high, low), turned)
}

/// The next four words of the schedule, from the sixteen before them.
#[inline]
#[target_feature(enable = "sha,sse2,ssse3")]
fn next(first: __m128i, second: __m128i, third: __m128i, fourth: __m128i) -> __m128i {
    let seven_back = _mm_alignr_epi8(fourth, third, 4);
    let sum = _mm_add_epi32(_mm_sha256msg1_epu32(first, second), seven_back);
    _mm_sha256msg2_epu32(sum, fourth)
}
