//! Turn a large document into Python values and back, many times: something for a profiler to look at.

use pyo3::prelude::*;

fn main() -> PyResult<()> {
    let text = format!("[{}]", vec![r#"{"name": "value", "numbers": [1, 2.5, null, true]}"#; 1000].join(","));
    let value: serde_json::Value = serde_json::from_str(&text).expect("the document above is JSON");
    Python::attach(|py| {
        for _ in 0..100 {
            let python = hyperjson::to_python(py, &value)?;
            assert_eq!(hyperjson::from_python(&python)?, value);
        }
        Ok(())
    })
}
