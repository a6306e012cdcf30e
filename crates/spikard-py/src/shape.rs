//! Whether a result holds nothing but instances of the classes that its handler promises: told without a step of Python,
//! since every result whose model holds other models is asked. The package's filters say what is looked at.

use pyo3::{
    PyTraverseError, PyVisit,
    exceptions::{PyAttributeError, PyRecursionError, PyValueError},
    prelude::*,
    types::{PyDict, PyString, PyType},
};

use crate::vectorcall;

/// What holds itself ends here; the encoder would not go as far.
const DEEPEST: usize = 1000;

/// One type of an annotation.
#[pyclass(module = "spikard._spikard")]
pub(crate) struct Shape {
    /// The classes whose own instances fit, as far as what they hold does. None: anything fits.
    types: Option<Vec<Py<PyType>>>,
    /// Those that fit whatever they hold.
    free: Vec<Py<PyType>>,
    inside: Inside,
}

/// What an instance holds that is looked at.
enum Inside {
    Nothing,
    /// Attributes.
    Members(Vec<(Py<PyString>, Py<Shape>)>),
    /// What an iterable gives.
    Items(Py<Shape>),
    /// The values of a dict.
    Values(Py<Shape>),
    /// It fits one of these.
    Either(Vec<Py<Shape>>),
    /// A function tells.
    Asked(Py<PyAny>),
}

#[pymethods]
impl Shape {
    #[new]
    fn new(types: Option<Vec<Py<PyType>>>, free: Vec<Py<PyType>>) -> Self {
        Self { types, free, inside: Inside::Nothing }
    }

    /// Says what is looked at. Later than the rest, since a model may hold itself.
    fn look(&mut self, how: &str, at: &Bound<'_, PyAny>) -> PyResult<()> {
        self.inside = match how {
            "members" => Inside::Members(at.extract()?),
            "items" => Inside::Items(at.extract()?),
            "values" => Inside::Values(at.extract()?),
            "either" => Inside::Either(at.extract()?),
            "asked" => Inside::Asked(at.clone().unbind()),
            other => return Err(PyValueError::new_err(format!("{other:?} is nothing to look at"))),
        };
        Ok(())
    }

    /// Whether a value may be sent as it is.
    pub(crate) fn fits(&self, value: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.holds(value, 0)
    }

    #[allow(clippy::needless_pass_by_value, reason = "the signature is pyo3's")]
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.types.iter().flatten().chain(&self.free).try_for_each(|class| visit.call(class))?;
        match &self.inside {
            Inside::Nothing => Ok(()),
            Inside::Members(members) => members.iter().try_for_each(|(_, shape)| visit.call(shape)),
            Inside::Items(shape) | Inside::Values(shape) => visit.call(shape),
            Inside::Either(shapes) => shapes.iter().try_for_each(|shape| visit.call(shape)),
            Inside::Asked(function) => visit.call(function),
        }
    }

    fn __clear__(&mut self) {
        self.inside = Inside::Nothing;
    }
}

impl Shape {
    fn holds(&self, value: &Bound<'_, PyAny>, depth: usize) -> PyResult<bool> {
        let class = value.get_type_ptr().cast();
        if let Some(types) = &self.types
            && !types.iter().any(|known| known.as_ptr() == class)
        {
            return Ok(self.free.iter().any(|known| known.as_ptr() == class));
        }
        if depth > DEEPEST {
            return Err(PyRecursionError::new_err("the result holds itself"));
        }
        let py = value.py();
        let fits = |shape: &Py<Self>, one: &Bound<'_, PyAny>| shape.borrow(py).holds(one, depth + 1);
        match &self.inside {
            Inside::Nothing => Ok(true),
            Inside::Members(members) => all(members, |(name, shape)| match value.getattr(name) {
                Ok(member) => fits(shape, &member),
                Err(unset) if unset.is_instance_of::<PyAttributeError>(py) => Ok(false),
                Err(raised) => Err(raised),
            }),
            Inside::Items(shape) => all(value.try_iter()?, |item| fits(shape, &item?)),
            Inside::Values(shape) => all(value.cast::<PyDict>()?.iter(), |(_, one)| fits(shape, &one)),
            Inside::Either(shapes) => Ok(!all(shapes, |shape| fits(shape, value).map(|fitting| !fitting))?),
            Inside::Asked(function) => vectorcall::call_one(py, function, value)?.is_truthy(py),
        }
    }
}

fn all<T>(items: impl IntoIterator<Item = T>, holds: impl Fn(T) -> PyResult<bool>) -> PyResult<bool> {
    for item in items {
        if !holds(item)? {
            return Ok(false);
        }
    }
    Ok(true)
}
