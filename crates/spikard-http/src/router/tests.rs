//! Which route answers, with which values.

use http::Uri;

use super::*;

fn router(routes: &[(&str, &str)]) -> Router<String> {
    let mut router = Router::new(TrailingSlash::Redirect);
    for (method, path) in routes {
        router.add(method.parse().unwrap(), &Template::parse(path).unwrap(), (*path).to_owned()).unwrap();
    }
    router
}

fn find(router: &Router<String>, method: &str, uri: &'static str) -> String {
    match router.find(&method.parse().unwrap(), &Uri::from_static(uri)) {
        Ok(Found::Endpoint(target, values)) => format!("{target} {values:?}"),
        Ok(Found::Options(allow)) => format!("options {}", allow.to_str().unwrap()),
        Ok(Found::OtherMethod(allow)) => format!("405 {}", allow.to_str().unwrap()),
        Ok(Found::Redirect(to)) => format!("308 {}", to.to_str().unwrap()),
        Ok(Found::Nothing) => "404".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn literal_text_goes_before_a_parameter_before_a_catch_all() {
    let routes = [("GET", "/f/me"), ("GET", "/f/{id}"), ("GET", "/f/{rest:path}"), ("GET", "/f/x/{rest:path}")];
    let router = router(&routes);
    assert_eq!(find(&router, "GET", "/f/me"), "/f/me []");
    assert_eq!(find(&router, "GET", "/f/7"), r#"/f/{id} ["7"]"#);
    assert_eq!(find(&router, "GET", "/f/7/8"), r#"/f/{rest:path} ["7/8"]"#);
    assert_eq!(find(&router, "GET", "/f/x/8"), r#"/f/x/{rest:path} ["8"]"#);
    assert_eq!(find(&router, "GET", "/f/"), r#"/f/{rest:path} [""]"#);
}

#[test]
fn a_value_is_decoded_once_and_keeps_its_slash() {
    let router = router(&[("GET", "/u/{a}/x"), ("GET", "/u/{b}/y"), ("GET", "/é")]);
    assert_eq!(find(&router, "GET", "/u/a%2Fb%2525/y"), r#"/u/{b}/y ["a/b%25"]"#);
    assert_eq!(find(&router, "GET", "/%C3%A9"), "/é []");
    assert_eq!(find(&router, "GET", "/u/%ff/x"), "400 Bad Request: the path is not valid UTF-8");
    assert_eq!(find(&router, "GET", "/u/%00/x"), "400 Bad Request: the path holds a control character");
}

#[test]
fn methods_follow_from_the_table() {
    let router = router(&[("GET", "/a"), ("POST", "/a"), ("PUT", "/b")]);
    assert_eq!(find(&router, "HEAD", "/a"), "/a []");
    assert_eq!(find(&router, "OPTIONS", "/a"), "options GET, HEAD, OPTIONS, POST");
    assert_eq!(find(&router, "BREW", "/b"), "405 OPTIONS, PUT");
    assert_eq!(find(&router, "GET", "/c"), "404");
}

#[test]
fn a_slash_too_many_is_redirected_within_the_host() {
    let mut router = router(&[("GET", "/a"), ("GET", "/b/"), ("GET", "/")]);
    assert_eq!(find(&router, "GET", "/a/?q=1"), "308 /a?q=1");
    assert_eq!(find(&router, "GET", "/b"), "308 /b/");
    assert_eq!(find(&router, "GET", "//a/"), "404");
    router.trailing_slash = TrailingSlash::Ignore;
    assert_eq!(find(&router, "GET", "/a/"), "/a []");
    assert_eq!(find(&router, "PUT", "/b"), "405 GET, HEAD, OPTIONS");
    router.trailing_slash = TrailingSlash::Strict;
    assert_eq!(find(&router, "GET", "/a/"), "404");
}

#[test]
fn two_routes_of_one_shape_are_one_too_many() {
    let mut router = router(&[("GET", "/a/{x}"), ("GET", "/f/{x:path}")]);
    for path in ["/a/{y:int}", "/f/{z:path}"] {
        assert!(router.add(Method::GET, &Template::parse(path).unwrap(), String::new()).is_err(), "{path}");
    }
}

/// Every sequence of one to three of these.
fn sequences(of: &[&'static str]) -> Vec<Vec<&'static str>> {
    let longer = |all: &Vec<Vec<&'static str>>| -> Vec<Vec<&'static str>> {
        all.iter().flat_map(|one| of.iter().map(|next| [one.as_slice(), &[*next]].concat())).collect()
    };
    let one = longer(&vec![Vec::new()]);
    let two = longer(&one);
    let three = longer(&two);
    [one, two, three].concat()
}

#[test]
fn of_the_routes_that_match_the_one_with_literal_text_first_is_found() {
    let (shapes, paths) = (sequences(&["a", "ab", "{}"]), sequences(&["a", "ab", "c", ""]));
    let matches = |shape: &[&str], path: &[&str]| {
        let one = |(shape, path): (&&str, &&str)| shape == path || *shape == "{}" && !path.is_empty();
        shape.len() == path.len() && shape.iter().zip(path).all(one)
    };
    for seed in 1..=300u64 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut known = Vec::new();
        let mut router = Router::new(TrailingSlash::Strict);
        for shape in shapes.iter().filter(|_| random.u8(..4) == 0) {
            let named = shape.iter().enumerate().map(|(place, one)| one.replace("{}", &format!("{{p{place}}}")));
            let template = format!("/{}", named.collect::<Vec<_>>().join("/"));
            router.add(Method::GET, &Template::parse(&template).unwrap(), shape.clone()).unwrap();
            known.push(shape);
        }
        for path in &paths {
            let matching = known.iter().filter(|shape| matches(shape, path));
            let expected = matching.min_by_key(|shape| shape.iter().map(|one| *one == "{}").collect::<Vec<_>>());
            let found = match router.at(&Method::GET, &format!("/{}", path.join("/"))).unwrap() {
                Some(Found::Endpoint(shape, values)) => Some((shape, values)),
                _ => None,
            };
            let values = |shape: &[&str]| {
                let taken = shape.iter().zip(path).filter(|(one, _)| **one == "{}");
                taken.map(|(_, value)| (*value).to_owned()).collect::<Vec<_>>()
            };
            let expected = expected.map(|shape| ((*shape).clone(), values(shape)));
            assert_eq!(found.map(|(shape, values)| ((*shape).clone(), values)), expected, "{path:?} of {known:?}");
        }
    }
}

#[test]
fn each_of_many_routes_is_found() {
    let mut router = Router::new(TrailingSlash::Strict);
    for number in 0..2_000 {
        router.add(Method::GET, &Template::parse(&format!("/r/{number}/{{x}}")).unwrap(), number).unwrap();
    }
    for number in 0..2_000 {
        let found = router.at(&Method::GET, &format!("/r/{number}/v")).unwrap();
        assert!(matches!(found, Some(Found::Endpoint(target, _)) if *target == number), "{number}");
    }
}
