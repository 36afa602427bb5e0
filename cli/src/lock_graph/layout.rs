//! Places the nodes of a directed graph in layers from left to right, so that few edges cross and most point to the right.
//!
//! The method of Sugiyama, Tagawa and Toda ("Methods for visual understanding of hierarchical system structures", 1981): edges that
//! close a cycle are turned, layers follow the longest path, edges over several layers get a point in each, and each layer is sorted
//! by the middles of its neighbours. Linear in nodes, edges and points for a fixed number of sweeps.

/// Where everything lies. Lengths are pixels.
pub(super) struct Layout {
    /// The middles of the nodes.
    pub(super) places: Vec<Point>,
    /// For each edge the points that it goes through, from its first node's middle to its last one's.
    pub(super) routes: Vec<Vec<Point>>,
    pub(super) width: f64,
    pub(super) height: f64,
}

pub(super) type Point = (f64, f64);

/// Rounds of sorting, and of moving towards neighbours.
const SWEEPS: usize = 8;
/// From one node to the next in a layer, from a point to the next, and between layers.
const ROW: f64 = 46.0;
const POINT_ROW: f64 = 16.0;
const BETWEEN: f64 = 90.0;

/// Lays out nodes of these widths; `edges` are pairs of their indices.
pub(super) fn layout(widths: &[f64], edges: &[(usize, usize)]) -> Layout {
    let turned = closing(widths.len(), edges);
    let forward: Vec<(usize, usize)> =
        edges.iter().zip(&turned).map(|(&(from, to), turned)| if *turned { (to, from) } else { (from, to) }).collect();
    let mut grid = Grid::new(widths.len(), &forward);
    grid.sort();
    let places = grid.places(widths);
    let routes = edges.iter().enumerate().map(|(edge, &(from, to))| {
        let mut between: Vec<Point> = grid.points[edge].iter().map(|point| places[*point]).collect();
        if turned[edge] {
            between.reverse();
        }
        [places[from]].into_iter().chain(between).chain([places[to]]).collect()
    });
    let routes: Vec<Vec<Point>> = routes.collect();
    let width = (0..widths.len()).map(|node| places[node].0 + widths[node] / 2.0).fold(0.0, f64::max);
    let height = places.iter().map(|place| place.1).fold(0.0, f64::max) + ROW / 2.0;
    Layout { places: places[..widths.len()].to_vec(), routes, width, height }
}

/// For each edge whether it closes a cycle: whether it leads back to a node that a depth-first walk is still under.
fn closing(nodes: usize, edges: &[(usize, usize)]) -> Vec<bool> {
    let mut leaving: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    for (edge, (from, _)) in edges.iter().enumerate() {
        leaving[*from].push(edge);
    }
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Under,
        Done,
    }
    let mut state = vec![State::New; nodes];
    let mut closing = vec![false; edges.len()];
    for root in 0..nodes {
        if state[root] != State::New {
            continue;
        }
        // Node, and how many of its edges were followed: recursion would overflow on long chains.
        let mut walk = vec![(root, 0)];
        state[root] = State::Under;
        while let Some((node, next)) = walk.pop() {
            let Some(&edge) = leaving[node].get(next) else {
                state[node] = State::Done;
                continue;
            };
            walk.push((node, next + 1));
            let to = edges[edge].1;
            match state[to] {
                State::Under => closing[edge] = true,
                State::New => {
                    state[to] = State::Under;
                    walk.push((to, 0));
                }
                State::Done => {}
            }
        }
    }
    closing
}

/// Nodes and the points of long edges, in layers.
struct Grid {
    /// For each layer its nodes and points, from top to bottom. Points are numbered behind the nodes.
    layers: Vec<Vec<usize>>,
    /// For each node and point its neighbours in the layers before and behind.
    before: Vec<Vec<usize>>,
    behind: Vec<Vec<usize>>,
    /// For each edge its points.
    points: Vec<Vec<usize>>,
    nodes: usize,
}

impl Grid {
    fn new(nodes: usize, edges: &[(usize, usize)]) -> Grid {
        let layer_of = longest_paths(nodes, edges);
        let mut grid = Grid {
            layers: vec![Vec::new(); layer_of.iter().max().map_or(0, |last| last + 1)],
            before: vec![Vec::new(); nodes],
            behind: vec![Vec::new(); nodes],
            points: Vec::new(),
            nodes,
        };
        for (node, layer) in layer_of.iter().enumerate() {
            grid.layers[*layer].push(node);
        }
        for &(from, to) in edges {
            let mut last = from;
            let mut points = Vec::new();
            for layer in layer_of[from] + 1..layer_of[to].max(layer_of[from] + 1) {
                let point = grid.before.len();
                grid.before.push(Vec::new());
                grid.behind.push(Vec::new());
                grid.layers[layer].push(point);
                grid.connect(last, point);
                points.push(point);
                last = point;
            }
            if from != to {
                grid.connect(last, to);
            }
            grid.points.push(points);
        }
        grid
    }

    fn connect(&mut self, from: usize, to: usize) {
        self.behind[from].push(to);
        self.before[to].push(from);
    }

    /// Sorts each layer by the mean position of the neighbours, to and fro.
    fn sort(&mut self) {
        let mut position = vec![0.0; self.before.len()];
        let number = |layer: &[usize], position: &mut [f64]| {
            for (index, item) in layer.iter().enumerate() {
                position[*item] = index as f64 - layer.len() as f64 / 2.0;
            }
        };
        self.layers.iter().for_each(|layer| number(layer, &mut position));
        for sweep in 0..SWEEPS {
            let count = self.layers.len();
            for step in 0..count {
                let (at, neighbours) = if sweep % 2 == 0 { (step, &self.before) } else { (count - 1 - step, &self.behind) };
                let mean = |item: usize| {
                    let near = &neighbours[item];
                    if near.is_empty() {
                        position[item]
                    } else {
                        near.iter().map(|other| position[*other]).sum::<f64>() / near.len() as f64
                    }
                };
                let layer = &mut self.layers[at];
                let mut keyed: Vec<(f64, usize)> = layer.iter().map(|item| (mean(*item), *item)).collect();
                keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
                *layer = keyed.into_iter().map(|(_, item)| item).collect();
                number(layer, &mut position);
            }
        }
    }

    /// The middles of nodes and points.
    fn places(&self, widths: &[f64]) -> Vec<Point> {
        let mut y = vec![0.0; self.before.len()];
        let gap = |a: usize, b: usize| {
            if a < self.nodes && b < self.nodes {
                ROW
            } else if a < self.nodes || b < self.nodes {
                ROW * 0.75
            } else {
                POINT_ROW
            }
        };
        for layer in &self.layers {
            for pair in layer.windows(2) {
                y[pair[1]] = y[pair[0]] + gap(pair[0], pair[1]);
            }
        }
        for _ in 0..SWEEPS {
            for layer in &self.layers {
                let wish = |item: usize| {
                    let near = || self.before[item].iter().chain(&self.behind[item]);
                    let count = near().count();
                    if count == 0 { y[item] } else { near().map(|other| y[*other]).sum::<f64>() / count as f64 }
                };
                // Pushed down from the top, and up from the bottom: the mean of both keeps the gaps and favours no side.
                let wishes: Vec<f64> = layer.iter().map(|item| wish(*item)).collect();
                let (mut down, mut up) = (wishes.clone(), wishes);
                for i in 1..layer.len() {
                    down[i] = down[i].max(down[i - 1] + gap(layer[i - 1], layer[i]));
                }
                for i in (1..layer.len()).rev() {
                    up[i - 1] = up[i - 1].min(up[i] - gap(layer[i - 1], layer[i]));
                }
                for (i, item) in layer.iter().enumerate() {
                    y[*item] = f64::midpoint(down[i], up[i]);
                }
            }
        }
        let top = y.iter().copied().fold(f64::INFINITY, f64::min);
        let mut places = vec![(0.0, 0.0); y.len()];
        let mut left = 0.0;
        for layer in &self.layers {
            let width = layer.iter().filter_map(|item| widths.get(*item)).copied().fold(0.0, f64::max);
            for item in layer {
                places[*item] = (left + width / 2.0, y[*item] - top + ROW / 2.0);
            }
            left += width + BETWEEN;
        }
        places
    }
}

/// For each node the length of the longest path to it. The edges have no cycle, loops aside.
fn longest_paths(nodes: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut leaving: Vec<Vec<usize>> = vec![Vec::new(); nodes];
    let mut open = vec![0_usize; nodes];
    for &(from, to) in edges.iter().filter(|(from, to)| from != to) {
        leaving[from].push(to);
        open[to] += 1;
    }
    let mut layer = vec![0; nodes];
    let mut ready: Vec<usize> = (0..nodes).filter(|node| open[*node] == 0).collect();
    while let Some(node) = ready.pop() {
        for &to in &leaving[node] {
            layer[to] = layer[to].max(layer[node] + 1);
            open[to] -= 1;
            if open[to] == 0 {
                ready.push(to);
            }
        }
    }
    layer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_point_to_the_right_but_for_one_of_each_cycle() {
        let edges = [(0, 1), (1, 2), (2, 0), (0, 3), (3, 3)];
        let layout = layout(&[60.0; 4], &edges);
        let to_the_left = edges.iter().filter(|(from, to)| layout.places[*from].0 > layout.places[*to].0).count();
        assert_eq!(to_the_left, 1);
        assert_eq!(layout.routes[2].len(), 3, "2 -> 0 passes the layer of 1");
    }

    #[test]
    fn no_two_nodes_overlap_in_a_graph_with_hundreds_of_edges() {
        let edges: Vec<(usize, usize)> = (0..600).map(|i| (i * 7 % 200, (i * 31 + 5) % 200)).collect();
        let widths: Vec<f64> = (0..200).map(|i| 60.0 + f64::from(i % 50)).collect();
        let layout = layout(&widths, &edges);
        for (i, a) in layout.places.iter().enumerate() {
            assert!(a.0 - widths[i] / 2.0 >= -0.5 && a.0 + widths[i] / 2.0 <= layout.width + 0.5 && a.1 <= layout.height);
            for (j, b) in layout.places.iter().enumerate().skip(i + 1) {
                let apart = (a.0 - b.0).abs() >= f64::midpoint(widths[i], widths[j]) || (a.1 - b.1).abs() >= 30.0;
                assert!(apart, "{i} {a:?} and {j} {b:?}");
            }
        }
    }

    #[test]
    fn a_long_chain_and_no_node_at_all_are_laid_out() {
        let chain: Vec<(usize, usize)> = (0..5000).map(|i| (i, i + 1)).collect();
        assert_eq!(layout(&vec![10.0; 5001], &chain).places.len(), 5001);
        assert!(layout(&[], &[]).places.is_empty());
    }
}
