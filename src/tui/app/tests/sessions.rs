//! x
use super::*;
#[test]
fn first() {
    let mut s = Session::new(Engine::busy());
    println!("{}", s.screen());
    s.keys("j x");
    println!("{}\n{:?}", s.screen(), s.deeds());
}
