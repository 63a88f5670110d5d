//! The bodies at the start: positions in astronomical units, velocities in units a day, masses in solar masses, turned
//! into units a year and into masses for which the gravitational constant is 1.

/// 4 pi^2: the Sun's mass when years, astronomical units and G = 1 are the units.
pub const SOLAR_MASS: f64 = 4.0 * std::f64::consts::PI * std::f64::consts::PI;

const DAYS: f64 = 365.24;

#[derive(Clone, Copy)]
pub struct Body {
    pub position: [f64; 3],
    pub velocity: [f64; 3],
    pub mass: f64,
}

fn body(position: [f64; 3], daily: [f64; 3], solar_masses: f64) -> Body {
    let velocity = [daily[0] * DAYS, daily[1] * DAYS, daily[2] * DAYS];
    Body { position, velocity, mass: solar_masses * SOLAR_MASS }
}

/// Sun, Jupiter, Saturn, Uranus, Neptune.
pub fn bodies() -> [Body; 5] {
    [
        body([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], 1.0),
        body(
            [4.841_431_442_464_721e0, -1.160_320_044_027_428_4e0, -1.036_220_444_711_231_1e-1],
            [1.660_076_642_744_037e-3, 7.699_011_184_197_404e-3, -6.904_600_169_720_63e-5],
            9.547_919_384_243_266e-4,
        ),
        body(
            [8.343_366_718_244_58e0, 4.124_798_564_124_305e0, -4.035_234_171_143_214e-1],
            [-2.767_425_107_268_624e-3, 4.998_528_012_349_172e-3, 2.304_172_975_737_639_3e-5],
            2.858_859_806_661_308e-4,
        ),
        body(
            [1.289_436_956_213_913_1e1, -1.511_115_140_169_863_1e1, -2.233_075_788_926_557_3e-1],
            [2.964_601_375_647_616e-3, 2.378_471_739_594_809_5e-3, -2.965_895_685_402_375_6e-5],
            4.366_244_043_351_563e-5,
        ),
        body(
            [1.537_969_711_485_091_7e1, -2.591_931_460_998_796_4e1, 1.792_587_729_503_711_8e-1],
            [2.680_677_724_903_893_2e-3, 1.628_241_700_382_422_9e-3, -9.515_922_545_197_158e-5],
            5.151_389_020_466_114_5e-5,
        ),
    ]
}
