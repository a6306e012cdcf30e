//! Routes whose parameters take a segment each, as a tree of segments. It lies in flat lists, so that a request touches
//! two or three lines of memory for its route, and many routes asked in turn stay near the processor.

use std::num::NonZeroU32;

use spikard_core::{Part, Template};

use super::{RawValues, literal};

/// Stands for a parameter in a pattern; literal text has it escaped.
const PARAMETER: &str = "\0";

pub(super) struct Paths<T> {
    /// The first is the root.
    nodes: Vec<Node>,
    /// By the hash of where they begin and of their text; the next free place where that is taken. A power of two, of
    /// which half is free.
    edges: Vec<Edge>,
    /// The literal segments, one behind the other.
    texts: Vec<u8>,
    targets: Vec<T>,
}

/// Where some segments lead.
#[derive(Clone, Copy, Default)]
struct Node {
    /// Over any segment that is not empty.
    parameter: Option<NonZeroU32>,
    /// One more than its place.
    target: Option<NonZeroU32>,
}

/// A literal segment.
#[derive(Clone, Copy, Default)]
struct Edge {
    from: u32,
    /// None: the place is free.
    to: Option<NonZeroU32>,
    start: u32,
    length: u32,
}

impl<T> Paths<T> {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::default()], edges: vec![Edge::default(); 4], texts: Vec::new(), targets: Vec::new() }
    }

    /// Fails if a route of this shape is there already.
    pub(super) fn insert(&mut self, template: &Template, target: T) -> Result<(), ()> {
        let piece = |part: &Part| match part {
            Part::Literal(text) => literal(text),
            Part::Parameter { .. } => PARAMETER.to_owned(),
        };
        let pattern: String = template.parts.iter().map(piece).collect();
        let mut node = 0;
        for segment in pattern.split('/').skip(1) {
            node = match segment {
                PARAMETER => self.over_parameter(node),
                text => self.over_literal(node, text),
            };
        }
        if self.nodes[node as usize].target.is_some() {
            return Err(());
        }
        self.targets.push(target);
        self.nodes[node as usize].target = NonZeroU32::new(self.targets.len() as u32);
        Ok(())
    }

    fn over_parameter(&mut self, from: u32) -> u32 {
        let known = self.nodes[from as usize].parameter;
        known.map_or_else(
            || {
                let made = self.node();
                self.nodes[from as usize].parameter = NonZeroU32::new(made);
                made
            },
            NonZeroU32::get,
        )
    }

    fn over_literal(&mut self, from: u32, text: &str) -> u32 {
        let hash = text.bytes().fold(start_of(from), mix);
        if let Some(known) = self.edge(from, text.as_bytes(), hash) {
            return known.get();
        }
        let made = self.node();
        let (start, length) = (self.texts.len() as u32, text.len() as u32);
        self.texts.extend_from_slice(text.as_bytes());
        if self.nodes.len() * 2 > self.edges.len() {
            let wider = vec![Edge::default(); self.edges.len() * 2];
            let known = std::mem::replace(&mut self.edges, wider);
            known.into_iter().filter(|edge| edge.to.is_some()).for_each(|edge| self.put(edge));
        }
        self.put(Edge { from, to: NonZeroU32::new(made), start, length });
        made
    }

    fn node(&mut self) -> u32 {
        self.nodes.push(Node::default());
        self.nodes.len() as u32 - 1
    }

    fn put(&mut self, edge: Edge) {
        let mut place = self.place(self.text(&edge).iter().copied().fold(start_of(edge.from), mix));
        while self.edges[place].to.is_some() {
            place = self.place_of(place + 1);
        }
        self.edges[place] = edge;
    }

    /// Literal text goes before a parameter; where it leads nowhere, the parameter is tried.
    pub(super) fn at<'p>(&self, path: &'p str) -> Option<(&T, RawValues<'p>)> {
        let mut values = RawValues::new();
        let target = self.walk(0, Some(path.strip_prefix('/')?), &mut values)?;
        Some((&self.targets[target.get() as usize - 1], values))
    }

    /// As deep as the longest route at most.
    fn walk<'p>(&self, node: u32, rest: Option<&'p str>, values: &mut RawValues<'p>) -> Option<NonZeroU32> {
        let Node { parameter, target } = self.nodes[node as usize];
        let Some(rest) = rest else { return target };
        let (mut end, mut hash) = (0, start_of(node));
        for byte in rest.bytes().take_while(|byte| *byte != b'/') {
            (end, hash) = (end + 1, mix(hash, byte));
        }
        let (segment, behind) = (&rest[..end], rest.get(end + 1..));
        if let Some(next) = self.edge(node, segment.as_bytes(), hash)
            && let Some(found) = self.walk(next.get(), behind, values)
        {
            return Some(found);
        }
        let next = parameter.filter(|_| !segment.is_empty())?;
        values.push(segment);
        let found = self.walk(next.get(), behind, values);
        if found.is_none() {
            values.pop();
        }
        found
    }

    fn edge(&self, from: u32, text: &[u8], hash: u64) -> Option<NonZeroU32> {
        let mut place = self.place(hash);
        loop {
            let edge = &self.edges[place];
            let to = edge.to?;
            if edge.from == from && self.text(edge) == text {
                return Some(to);
            }
            place = self.place_of(place + 1);
        }
    }

    fn text(&self, edge: &Edge) -> &[u8] {
        &self.texts[edge.start as usize..][..edge.length as usize]
    }

    fn place(&self, hash: u64) -> usize {
        self.place_of((hash ^ hash >> 32) as usize)
    }

    fn place_of(&self, number: usize) -> usize {
        number & (self.edges.len() - 1)
    }
}

/// FNV-1a. Whoever asks adds nothing to the table, so no request can make it slow.
fn start_of(from: u32) -> u64 {
    mix(0xcbf2_9ce4_8422_2325 ^ u64::from(from), 0)
}

fn mix(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}
