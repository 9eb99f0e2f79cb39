//! An explanation for people.

use std::fmt;

use crate::policy_check::explain::nearest::Near;
use crate::policy_check::explain::steps::State;
use crate::policy_check::explain::{Explained, Explanation};

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Needs(needs) => {
                needs.needs.iter().try_for_each(|url| writeln!(f, "needs what stands at {url}"))
            }
            Self::Explanation(explanation) => explanation.fmt(f),
        }
    }
}

fn described(near: &Near) -> String {
    let host = near.host.as_ref().map_or_else(String::new, |host| format!(" at {host}"));
    format!("`{}`: {} {}{host}", near.id, near.methods.join(", "), near.path)
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}\n", self.method, self.url)?;
        if let Some(own) = &self.own {
            return writeln!(f, "verdict  answered by tollgate itself: {own}; no route is asked");
        }
        match &self.route {
            Some(route) => writeln!(f, "route    {}", described(route))?,
            None => writeln!(f, "route    none")?,
        }
        for near in &self.nearest {
            writeln!(f, "  near   {}", described(near))?;
            for differs in &near.differs {
                writeln!(f, "         - {differs}")?;
            }
        }
        if let Some(token) = &self.token {
            writeln!(f, "token    {}", token.kind)?;
            for (name, value) in &token.says {
                writeln!(f, "         {name:<10} {value}")?;
            }
        }
        self.steps(f)?;
        writeln!(f)?;
        self.verdict(f)?;
        for remark in &self.remarks {
            writeln!(f, "         ! {remark}")?;
        }
        if let Some(answer) = &self.answer {
            writeln!(f, "answer   {}", answer.status)?;
            if let Some(challenge) = &answer.www_authenticate {
                writeln!(f, "         WWW-Authenticate: {challenge}")?;
            }
            writeln!(f, "         {}", answer.body)?;
        }
        self.sent(f)
    }
}

impl Explanation {
    fn steps(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "checks")?;
        let (later, made): (Vec<_>, Vec<_>) =
            self.checks.iter().partition(|step| step.state == State::NotReached);
        for step in made {
            let state = match step.state {
                State::Assumed => "assumed",
                State::Failed => "FAILED",
                State::NotReached | State::Unknown => "UNKNOWN",
                State::Ok => "ok",
            };
            let detail = step.detail.as_deref().unwrap_or_default();
            let line = format!("  {state:<8} {:<13} {detail}", step.check);
            writeln!(f, "{}", line.trim_end())?;
        }
        if later.is_empty() {
            return Ok(());
        }
        let later: Vec<_> = later.iter().map(|step| step.check).collect();
        writeln!(f, "  not reached: {}", later.join(", "))
    }

    fn verdict(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = self.reason.as_deref().unwrap_or_default();
        match self.decision {
            "pass" if self.assumed.is_empty() => writeln!(f, "verdict  passes"),
            "pass" => writeln!(f, "verdict  passes, if what was not asked is so:"),
            "refuse" => writeln!(f, "verdict  refused: {reason}"),
            _ => writeln!(f, "verdict  cannot be said here: {reason}"),
        }
    }

    fn sent(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(sent) = &self.upstream else { return Ok(()) };
        let binding =
            sent.binding.as_ref().map_or_else(String::new, |binding| format!(" by the binding {binding}"));
        writeln!(f, "upstream {} {}{binding}", self.method, sent.url)?;
        for (name, value) in &sent.set {
            writeln!(f, "         {name}: {value}")?;
        }
        if !sent.removed.is_empty() {
            writeln!(f, "         without {}", sent.removed.join(", "))?;
        }
        match &sent.fields {
            None => writeln!(f, "fields   all of the answer comes back"),
            Some(fields) if fields.is_empty() => writeln!(f, "fields   nothing of the answer comes back"),
            Some(fields) => writeln!(f, "fields   {}", fields.join(", ")),
        }
    }
}
