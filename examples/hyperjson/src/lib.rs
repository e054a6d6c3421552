//! JSON to Python values and back, by serde_json.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use pyo3::IntoPyObjectExt;
use serde_json::{Map, Number, Value};

/// Turn a JSON value into the Python value that the standard library's `json` would make of it.
pub fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    match value {
        Value::Null => Ok(py.None().into_bound(py)),
        Value::Bool(flag) => flag.into_bound_py_any(py),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(signed), _) => signed.into_bound_py_any(py),
            (None, Some(unsigned)) => unsigned.into_bound_py_any(py),
            _ => number.as_f64().into_bound_py_any(py),
        },
        Value::String(text) => text.into_bound_py_any(py),
        Value::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(to_python(py, item)?)?;
            }
            Ok(list.into_any())
        }
        Value::Object(fields) => {
            let dict = PyDict::new(py);
            for (name, field) in fields {
                dict.set_item(name, to_python(py, field)?)?;
            }
            Ok(dict.into_any())
        }
    }
}

/// Turn a Python value into a JSON value.
pub fn from_python(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if value.is_none() {
        Ok(Value::Null)
    } else if value.is_instance_of::<PyBool>() {
        Ok(Value::Bool(value.extract()?))
    } else if value.is_instance_of::<PyInt>() {
        Ok(Value::Number(Number::from(value.extract::<i64>()?)))
    } else if value.is_instance_of::<PyFloat>() {
        Number::from_f64(value.extract()?)
            .map(Value::Number)
            .ok_or_else(|| PyValueError::new_err("JSON has no such number"))
    } else if value.is_instance_of::<PyString>() {
        Ok(Value::String(value.extract()?))
    } else if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        value.try_iter()?.map(|item| from_python(&item?)).collect::<PyResult<Vec<_>>>().map(Value::Array)
    } else if let Ok(dict) = value.cast::<PyDict>() {
        let mut fields = Map::new();
        for (name, field) in dict.iter() {
            fields.insert(name.extract()?, from_python(&field)?);
        }
        Ok(Value::Object(fields))
    } else {
        Err(PyTypeError::new_err(format!("{} is not JSON serializable", value.get_type().name()?)))
    }
}

/// Fast JSON.
#[pymodule]
mod hyperjson {
    use super::*;

    /// Parse JSON text.
    #[pyfunction]
    fn loads(py: Python<'_>, text: &str) -> PyResult<Py<PyAny>> {
        let value: Value = serde_json::from_str(text).map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(to_python(py, &value)?.unbind())
    }

    /// Write a value as JSON text.
    #[pyfunction]
    fn dumps(value: &Bound<'_, PyAny>) -> PyResult<String> {
        Ok(from_python(value)?.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(text: &str) {
        let value: Value = serde_json::from_str(text).expect("the test's own text is JSON");
        Python::initialize();
        Python::attach(|py| {
            let python = to_python(py, &value).expect("every JSON value has a Python value");
            assert_eq!(from_python(&python).expect("and the way back"), value);
        });
    }

    #[test]
    fn values_survive_the_way_to_python_and_back() {
        round_trip(r#"{"a": [1, 2.5, null, true], "b": {"c": "d"}, "e": -9007199254740993}"#);
    }

    #[test]
    fn a_set_is_no_json() {
        Python::initialize();
        Python::attach(|py| {
            let set = py.eval(c"{1}", None, None).expect("a set");
            let error = from_python(&set).expect_err("JSON has no sets");
            assert!(error.is_instance_of::<PyTypeError>(py));
        });
    }
}
