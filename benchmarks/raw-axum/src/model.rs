//! What the bodies and queries hold.

use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
pub struct Item {
    name: String,
    description: String,
    price: f64,
    quantity: i64,
}

#[derive(Deserialize, Serialize)]
struct Address {
    street: String,
    city: String,
    postcode: String,
    country: String,
}

#[derive(Deserialize, Serialize)]
struct Customer {
    name: String,
    email: String,
    address: Address,
}

#[derive(Deserialize, Serialize)]
struct Line {
    sku: String,
    title: String,
    quantity: i64,
    price: f64,
    discount: Option<f64>,
    tags: Vec<String>,
}

#[derive(Deserialize, Serialize)]
pub struct Order {
    id: i64,
    reference: String,
    paid: bool,
    customer: Customer,
    lines: Vec<Line>,
    note: String,
}

#[derive(Deserialize, Serialize)]
pub struct Batch {
    source: String,
    orders: Vec<Order>,
}

#[derive(Deserialize, Serialize)]
pub struct Person {
    username: String,
    email: String,
    age: i64,
    subscribed: bool,
}

#[derive(Deserialize, Serialize)]
pub struct Few {
    q: String,
    page: i64,
    active: bool,
}

#[derive(Deserialize, Serialize)]
pub struct Medium {
    q: String,
    page: i64,
    active: bool,
    limit: i64,
    minimum: f64,
    maximum: f64,
    sort: String,
    descending: bool,
}

#[derive(Deserialize, Serialize)]
pub struct Many {
    q: String,
    page: i64,
    active: bool,
    limit: i64,
    minimum: f64,
    maximum: f64,
    sort: String,
    descending: bool,
    category: String,
    brand: String,
    colour: String,
    country: String,
    year: i64,
    rating: f64,
    stock: i64,
    sale: bool,
}

#[derive(Deserialize, Serialize)]
pub struct Profile {
    q: String,
    page: i64,
    active: bool,
    limit: i64,
    minimum: f64,
    maximum: f64,
    sort: String,
    descending: bool,
    category: String,
    brand: String,
    colour: String,
    country: String,
    year: i64,
    rating: f64,
    stock: i64,
    sale: bool,
    email: String,
    subscribed: bool,
}

#[derive(Deserialize, Serialize)]
pub struct Purchase {
    shop: String,
    user: i64,
    order: i64,
}
