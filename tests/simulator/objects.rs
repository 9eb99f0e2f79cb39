//! The principals' objects. What one decides is [`tollgate::principal::step`], in one go; what it does around that follows
//! `src/edge/principal_do.rs` line by line: cut-offs are published after the step, one write at a time, and by the alarm, which
//! is set before the write.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use tollgate::error::Fault;
use tollgate::id::Locator;
use tollgate::principal::{
    Answer, Kind, Question, Rows as _, cutoff_key, published, sent, step, unpublished, unsent,
};
use tollgate::time::{Lifetime, Timestamp};

use super::colo::Colo;
use crate::fakes::Memory;

/// As at the edge.
const RETRY: Lifetime = Lifetime::from_seconds(5);

/// As at the edge.
const WRITE: Lifetime = Lifetime::from_seconds(30);

#[derive(Default)]
pub(super) struct Objects {
    objects: RefCell<BTreeMap<Locator, Rc<Object>>>,
    /// What ended something, and when.
    pub(super) endings: RefCell<Vec<(Timestamp, Locator)>>,
}

#[derive(Default)]
struct Object {
    rows: Memory,
    alarm_at: Cell<Option<Timestamp>>,
    publishing: Cell<Option<Timestamp>>,
}

impl Objects {
    fn of(&self, locator: Locator) -> Rc<Object> {
        Rc::clone(self.objects.borrow_mut().entry(locator).or_default())
    }

    /// What is done with an object's rows, at once.
    pub(super) fn with_rows<T>(&self, locator: Locator, what: impl FnOnce(&Memory) -> T) -> T {
        what(&self.of(locator).rows)
    }

    /// Whether KV lacks something that an object has declared dead.
    pub(super) fn has_unpublished(&self) -> bool {
        self.objects.borrow().values().any(|object| unpublished(&object.rows).unwrap().is_some())
    }

    /// The texts of one kind that every object holds.
    pub(super) fn texts(&self, kind: Kind) -> Vec<String> {
        let objects = self.objects.borrow();
        objects.values().flat_map(|object| object.rows.list(kind).unwrap()).map(|(_, text)| text).collect()
    }
}

/// A question on its way, its answer, and the way back. Goes on whether somebody still waits for it or not.
pub(super) async fn serve(colo: Rc<Colo>, locator: Locator, question: Question) -> Result<Answer, Fault> {
    colo.travel().await;
    if colo.chance(colo.weather.get().lost_questions) {
        return Err(Fault::new("ask principal", "the question was lost"));
    }
    let answer = answer(&colo, locator, &question).await?;
    colo.travel().await;
    if colo.chance(colo.weather.get().lost_answers) {
        return Err(Fault::new("ask principal", "the answer was lost"));
    }
    Ok(answer)
}

async fn answer(colo: &Rc<Colo>, locator: Locator, question: &Question) -> Result<Answer, Fault> {
    let object = colo.objects.of(locator);
    let (answer, _) = step(&object.rows, colo.config.scopes(), question, colo.now())?;
    note(colo, locator, question, &answer);
    if !matches!(question, Question::Touch { .. } | Question::Inspect(_) | Question::ReadUser) {
        publish(colo, locator, &object).await?;
        set_alarm(colo, locator, &object, None);
    }
    Ok(answer)
}

fn note(colo: &Colo, locator: Locator, question: &Question, answer: &Answer) {
    let asked = innermost(question);
    let ends = matches!(
        asked,
        Question::ChangeClient(_)
            | Question::ChangeUser(_)
            | Question::DeleteClient(_)
            | Question::DeleteUser
            | Question::End
            | Question::NewSecret(_)
            | Question::Revoke { .. }
    );
    if ends && !matches!(answer, Answer::Refused(_)) {
        colo.objects.endings.borrow_mut().push((colo.now(), locator));
    }
}

fn innermost(question: &Question) -> &Question {
    match question {
        Question::By(_, question)
        | Question::IfMatches(_, question)
        | Question::OfUser(_, question)
        | Question::OfRealm(_, question) => innermost(question),
        question => question,
    }
}

async fn publish(colo: &Rc<Colo>, locator: Locator, object: &Object) -> Result<(), Fault> {
    let owes =
        || Ok::<_, Fault>(unpublished(&object.rows)?.is_some() || unsent(&object.rows, locator)?.is_some());
    if !owes()? {
        return Ok(());
    }
    set_alarm(colo, locator, object, Some(colo.now().after(RETRY)));
    if colo.chance(colo.weather.get().restarts) {
        return Err(Fault::new("ask principal", "the object was restarted"));
    }
    if object.publishing.get().is_some_and(|since| colo.now().is_within(WRITE, since)) || !owes()? {
        return Ok(());
    }
    object.publishing.set(Some(colo.now()));
    // What was not taken the alarm does again.
    let _ = tell_others(colo, locator, object).await;
    object.publishing.set(None);
    Ok(())
}

async fn tell_others(colo: &Rc<Colo>, locator: Locator, object: &Object) -> Result<(), Fault> {
    let (cutoffs, news) = (unpublished(&object.rows)?, unsent(&object.rows, locator)?);
    if let Some(what) = cutoffs {
        let text = serde_json::to_string(&what.cutoffs).unwrap();
        colo.put(&cutoff_key(&what.realm, locator), Some(text)).await?;
        published(&object.rows, &what, colo.now())?;
    }
    if let Some(news) = news {
        for (key, text) in &news.copies {
            colo.put(key, text.clone()).await?;
        }
        sent(&object.rows, &news)?;
    }
    Ok(())
}

fn set_alarm(colo: &Rc<Colo>, locator: Locator, object: &Object, soon: Option<Timestamp>) {
    let Some(at) = object.rows.first_to_clear().into_iter().chain(soon).min() else { return };
    if object.alarm_at.get().is_some_and(|set| set <= at) {
        return;
    }
    object.alarm_at.set(Some(at));
    let task = Rc::clone(colo);
    colo.tasks.spawn(None, async move {
        task.tasks.sleep_until(at).await;
        alarm(&task, locator, at).await;
    });
}

async fn alarm(colo: &Rc<Colo>, locator: Locator, at: Timestamp) {
    let object = colo.objects.of(locator);
    if object.alarm_at.get() != Some(at) {
        return;
    }
    object.alarm_at.set(None);
    object.rows.clear(colo.now());
    // One that is restarted here has set its alarm.
    let _ = publish(colo, locator, &object).await;
    set_alarm(colo, locator, &object, None);
}
