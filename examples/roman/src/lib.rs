use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

const NUMERALS: [(u32, &str); 13] = [
    (1000, "M"),
    (900, "CM"),
    (500, "D"),
    (400, "CD"),
    (100, "C"),
    (90, "XC"),
    (50, "L"),
    (40, "XL"),
    (10, "X"),
    (9, "IX"),
    (5, "V"),
    (4, "IV"),
    (1, "I"),
];

/// Roman numerals.
#[pymodule]
mod roman {
    use super::*;

    /// Return a number from 1 to 3999 as Romans wrote it.
    #[pyfunction]
    fn numeral(number: u32) -> PyResult<String> {
        if !(1..4000).contains(&number) {
            return Err(PyValueError::new_err("only 1 to 3999 have a numeral"));
        }
        let mut rest = number;
        let mut text = String::new();
        for (value, letters) in NUMERALS {
            while rest >= value {
                rest -= value;
                text.push_str(letters);
            }
        }
        Ok(text)
    }
}
