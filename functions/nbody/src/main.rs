//! The Sun and the four giant planets over n steps of a symplectic integrator: total energy at the start and the end.
//! After n-body of the Computer Language Benchmarks Game; orbits of NASA JPL's Horizons.

mod planets;

use guest::Refusal;
use planets::Body;

/// In years, as the velocities are.
const STEP: f64 = 0.01;

fn minus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn square(a: [f64; 3]) -> f64 {
    a[0] * a[0] + a[1] * a[1] + a[2] * a[2]
}

/// Gives the Sun the velocity that leaves the system's centre of mass at rest.
fn rest_centre(bodies: &mut [Body; 5]) {
    let mut momentum = [0.0; 3];
    for body in bodies.iter() {
        for (sum, velocity) in momentum.iter_mut().zip(body.velocity) {
            *sum += velocity * body.mass;
        }
    }
    for (velocity, sum) in bodies[0].velocity.iter_mut().zip(momentum) {
        *velocity = -sum / planets::SOLAR_MASS;
    }
}

fn energy(bodies: &[Body; 5]) -> f64 {
    let mut sum = 0.0;
    for (index, body) in bodies.iter().enumerate() {
        sum += 0.5 * body.mass * square(body.velocity);
        for other in &bodies[index + 1..] {
            sum -= body.mass * other.mass / square(minus(body.position, other.position)).sqrt();
        }
    }
    sum
}

fn advance(bodies: &mut [Body; 5], step: f64) {
    for index in 0..bodies.len() {
        let (before, after) = bodies.split_at_mut(index + 1);
        let body = &mut before[index];
        for other in after {
            let distance = minus(body.position, other.position);
            let squared = square(distance);
            let magnitude = step / (squared * squared.sqrt());
            for axis in 0..3 {
                body.velocity[axis] -= distance[axis] * other.mass * magnitude;
                other.velocity[axis] += distance[axis] * body.mass * magnitude;
            }
        }
    }
    for body in bodies {
        for (place, velocity) in body.position.iter_mut().zip(body.velocity) {
            *place += step * velocity;
        }
    }
}

fn answer(input: &[u8], output: &mut Vec<u8>) -> Result<(), Refusal> {
    let steps = guest::whole_number(input, 0..=50_000_000)?;
    let mut bodies = planets::bodies();
    rest_centre(&mut bodies);
    guest::write_line(output, format_args!("{:.9}", energy(&bodies)));
    for _ in 0..steps {
        advance(&mut bodies, STEP);
    }
    guest::write_line(output, format_args!("{:.9}", energy(&bodies)));
    Ok(())
}

fn main() {
    guest::run(answer);
}
