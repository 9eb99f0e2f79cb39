//! Everything that there is: edges, KV, objects, the time between them, and how bad the weather is.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::LazyLock;

use tollgate::app::App;
use tollgate::config::Config;
use tollgate::encoding::Digest;
use tollgate::error::Fault;
use tollgate::id::SessionId;
use tollgate::time::{Lifetime, Timestamp};
use tollgate::validator::Isolate;

use super::kv::Kv;
use super::objects::Objects;
use super::site::{Site, operators_token};
use super::tasks::{Handle, Tasks};
use crate::fakes::{BOOTSTRAP, Call, Reply, request_id, send};

/// How many edges there are.
pub(super) const EDGES: usize = 3;

/// Three realms: sessions that fall idle, sessions that do not, and one whose edges ask nobody.
static CONFIG: LazyLock<Config> = LazyLock::new(|| config(15));

/// The same, where every request asks.
static STRICT: LazyLock<Config> = LazyLock::new(|| config(0));

fn config(grain: u64) -> Config {
    let text = r#"{
        "realms": {
            "idle": { "issuer": "https://edge.example/idle", "idle_seconds": 60, "grain_seconds": GRAIN, "access_token_seconds": 86400 },
            "ask": { "issuer": "https://edge.example/ask", "grain_seconds": GRAIN },
            "cut": { "issuer": "https://edge.example/cut", "revocation": "cutoff" }
        },
        "scopes": { "orders:read": { "description": "Read orders" } },
        "roles": { "owner": { "description": "Owns it" }, "reporting": { "description": "Reads reports" } },
        "routes": [
            { "id": "orders", "methods": ["GET"], "path": "/orders", "require": { "scopes": ["orders:read"], "issuers": ["idle", "ask", "cut"] }, "to": { "service": "ORIGIN" } }
        ]
    }"#;
    Config::parse(&text.replace("GRAIN", &grain.to_string())).unwrap()
}

/// What goes wrong, in so many of a thousand cases, and how long a message takes at most.
#[derive(Clone, Copy)]
pub(super) struct Weather {
    pub(super) lost_questions: u64,
    pub(super) lost_answers: u64,
    /// Work for after the answer that its isolate did not live to do.
    pub(super) lost_chores: u64,
    /// The same, done seconds later.
    pub(super) late_chores: u64,
    /// Objects that stop after their step and before they have said so.
    pub(super) restarts: u64,
    /// Writes to KV that fail, and those whose answer is lost.
    pub(super) refused_writes: u64,
    /// The longest way of a message.
    pub(super) slowest: u64,
}

impl Weather {
    /// Nothing is lost.
    pub(super) const FAIR: Self = Self {
        lost_questions: 0,
        lost_answers: 0,
        lost_chores: 0,
        late_chores: 150,
        restarts: 0,
        refused_writes: 0,
        slowest: 1_400,
    };

    /// Everything is.
    pub(super) const FOUL: Self = Self {
        lost_questions: 30,
        lost_answers: 60,
        lost_chores: 400,
        late_chores: 150,
        restarts: 30,
        refused_writes: 150,
        slowest: 1_400,
    };
}

/// A touch, as its isolate sent it.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Touched {
    pub(super) isolate: u64,
    pub(super) session: SessionId,
    pub(super) asked_at: Timestamp,
    pub(super) edge: usize,
}

pub(super) struct Colo {
    pub(super) config: &'static Config,
    pub(super) tasks: Rc<Tasks>,
    pub(super) kv: Kv,
    pub(super) objects: Objects,
    pub(super) weather: Cell<Weather>,
    pub(super) touches: RefCell<Vec<Touched>>,
    /// The isolate of each edge, and its number.
    isolates: RefCell<Vec<(u64, Rc<Isolate>)>>,
    pub(super) drawn: Cell<u64>,
    seed: u64,
}

impl Colo {
    pub(super) fn new(seed: u64) -> Rc<Self> {
        Self::of(seed, &CONFIG)
    }

    pub(super) fn strict(seed: u64) -> Rc<Self> {
        Self::of(seed, &STRICT)
    }

    fn of(seed: u64, config: &'static Config) -> Rc<Self> {
        let isolates = (0..EDGES as u64).map(|number| (number, Rc::new(Isolate::new())));
        Rc::new(Self {
            config,
            tasks: Rc::new(Tasks::new(seed)),
            kv: Kv::default(),
            objects: Objects::default(),
            weather: Cell::new(Weather::FAIR),
            touches: RefCell::default(),
            isolates: RefCell::new(isolates.collect()),
            drawn: Cell::new(0),
            seed,
        })
    }

    /// Runs a play, and cleans up.
    pub(super) fn play<T: 'static>(self: &Rc<Self>, future: impl Future<Output = T> + 'static) -> T {
        let value = self.tasks.drive(future);
        self.tasks.stop();
        value
    }

    pub(super) fn now(&self) -> Timestamp {
        self.tasks.now()
    }

    pub(super) fn chance(&self, per_mille: u64) -> bool {
        self.tasks.rng.per_mille(per_mille)
    }

    pub(super) fn some_edge(&self) -> usize {
        self.tasks.rng.index(EDGES)
    }

    /// Randomness for the product: never the same twice.
    pub(super) fn random(&self) -> Digest {
        self.drawn.set(self.drawn.get() + 1);
        Digest::of(format!("{} {}", self.seed, self.drawn.get()).as_bytes())
    }

    pub(super) async fn sleep(&self, span: Lifetime) {
        self.tasks.sleep(span).await;
    }

    /// So long that every edge has heard of everything.
    pub(super) async fn settle(&self) {
        self.sleep(super::kv::LATE.plus(Lifetime::from_seconds(1))).await;
    }

    /// The way of one message: mostly short, sometimes as long as it gets.
    pub(super) async fn travel(&self) {
        let (rng, slowest) = (&self.tasks.rng, self.weather.get().slowest);
        self.tasks.yield_now().await;
        let span = match rng.below(50) {
            0 => rng.millis(0, slowest),
            1..=8 => rng.millis(0, slowest.min(250)),
            _ => rng.millis(0, slowest.min(30)),
        };
        self.sleep(span).await;
        self.tasks.yield_now().await;
    }

    /// A write to KV, which may take seconds.
    pub(super) async fn put(&self, key: &str, value: Option<String>) -> Result<(), Fault> {
        self.travel().await;
        if self.chance(60) {
            self.sleep(self.tasks.rng.millis(0, 2_500)).await;
        }
        let refused = self.weather.get().refused_writes;
        if self.chance(refused) {
            return Err(Fault::new("write KV", "refused"));
        }
        self.kv.write(key, value, self.now())?;
        self.travel().await;
        if self.chance(refused) {
            return Err(Fault::new("write KV", "the answer was lost"));
        }
        Ok(())
    }

    /// The isolate of an edge as it is now.
    pub(super) fn site(self: &Rc<Self>, edge: usize) -> Site {
        let (number, isolate) = self.isolates.borrow()[edge].clone();
        Site { colo: Rc::clone(self), edge, number, isolate }
    }

    /// An isolate ends, with everything that it was doing. Another takes its place.
    pub(super) fn evict(&self, edge: usize) {
        let fresh = self.tasks.rng.draw();
        self.isolates.borrow_mut()[edge] = (fresh, Rc::new(Isolate::new()));
        self.tasks.evict(edge);
    }

    /// Makes a request at an edge, in a task of its own that ends with its isolate: when it came, and the answer.
    pub(super) fn request(self: &Rc<Self>, edge: usize, call: Call) -> Handle<(Timestamp, Reply)> {
        let colo = Rc::clone(self);
        self.tasks.spawn(Some(edge), async move {
            colo.tasks.yield_now().await;
            colo.call(edge, &call).await
        })
    }

    /// Makes a request at an edge and waits for the answer.
    pub(super) async fn call(self: &Rc<Self>, edge: usize, call: &Call) -> (Timestamp, Reply) {
        let (site, now) = (self.site(edge), self.now());
        let token = call.operator().and_then(|realm| operators_token(self, realm));
        let call = &token.map_or_else(|| call.clone(), |token| call.clone().bearer(&token));
        let app = App {
            config: self.config,
            ports: &site,
            bootstrap: |_| Some(Digest::of(BOOTSTRAP.as_bytes())),
            now,
            request_id: request_id(),
        };
        let (reply, chore) = send(&app, call).await;
        if let Some(chore) = chore {
            let (colo, isolate) = (Rc::clone(self), Rc::clone(&site.isolate));
            let site = Site { colo, isolate, ..site };
            self.tasks.spawn(Some(edge), site.finish(chore, now));
        }
        (now, reply)
    }
}
