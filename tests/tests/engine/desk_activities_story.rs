//! Activities that care at the desk, by an event and in the nightly plan alike: retention (S2, S3), package under-use (S3)
//! and festival greetings (S1), each as it is built, from a customer's row to the words that somebody reads.

use crate::event_story::{event, send, ten, without_control};
use crate::support::{self, NOW, plan_of, run};
use care_domain::approval::Conditions;
use care_domain::key::CustomerKey;
use care_domain::time;
use care_domain::verdict::Verdict;
use care_engine::{Call, Engine, FollowUp, Prompts};
use care_tests::{DATE, PSEUDONYM_KEY, repository};
use serde_json::json;
use std::collections::BTreeSet;
use tempfile::TempDir;

const AGENT: &str = "customer-service";
const DAY: i64 = time::DAY_MS;

/// Customers of these rows, each with a number; the first line names the fields.
async fn customers(engine: &Engine, rows: &str, date: &str) {
    let file = engine.folder().join(format!("customers-{date}.csv"));
    let numbered = rows.lines().enumerate().map(|(line, row)| match line {
        0 => format!("{row},number\n"),
        _ => format!("{row},1390000{line:04}\n"),
    });
    std::fs::write(&file, numbered.collect::<String>()).expect("a file");
    let fields = rows.lines().next().unwrap_or_default().split(',').skip(1);
    let unit = |field: &str| if field == "arpu" { "unit = \"yuan\"\n" } else { "" };
    let columns: String =
        fields.map(|field| format!("[fields.{field}]\ncolumn = \"{field}\"\n{}", unit(field))).collect();
    let mapping = format!(
        "format = \"csv\"\nkey = \"id\"\n{columns}[fields.home-adcode]\nvalue = \"350200\"\n\
         [fields.consent-commercial]\nvalue = \"yes\"\nyes = [\"yes\"]\nno = [\"no\"]\n\
         [identity]\nmsisdn = \"number\"\n"
    );
    let imported = engine.import_population(&file, &mapping, support::day(date), None, ("operator", NOW), |_| ()).await;
    let imported = imported.expect("a population");
    assert_eq!((imported.customers, imported.bad_cells), (rows.lines().count() as u64 - 1, 0));
}

/// An installation with these customers and one activity at work, whatever it may be started with.
async fn at_work(rows: &str, activity: &str, params: serde_json::Value) -> (TempDir, Engine) {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::init(folder.path(), PSEUDONYM_KEY, NOW).await.expect("a data folder");
    engine.found_rehearsal(NOW).await.expect("people");
    without_control(&engine).await;
    customers(&engine, rows, DATE).await;
    support::approved(&engine, activity, &Conditions::default()).await;
    support::started(&engine, activity, params).await;
    (folder, engine)
}

async fn asks(engine: &Engine, who: &str, topic: &str, at: i64) -> Prompts {
    let call = Call { customer: who.into(), channel: "hotline".into(), topic: topic.into() };
    let (prompts, shown) = engine.touchpoint(&call, AGENT, at).await.expect("an answer");
    engine.keep_call(&shown).await.expect("a kept call");
    prompts
}

/// Who is told in the plan of a date, with the reason, and what is said to each.
async fn told(engine: &Engine, date: &str, wave: u32) -> Vec<(CustomerKey, String, String)> {
    let summary = run(engine, &care_engine::PlanRequest { wave, ..plan_of(date) }).await;
    let mut told = Vec::new();
    for decision in support::decisions(engine, &summary.plan).await {
        if decision.verdict == Verdict::Cleared {
            let why = engine.why(&decision.customer.to_string(), Some(support::day(date))).await.expect("an answer");
            let plan = why.plans.iter().find(|plan| plan.wave == wave).expect("the plan");
            let text = plan.activities[0].messages.iter().map(|message| message.text.as_str()).collect::<String>();
            told.push((decision.customer, decision.reason, text));
        }
    }
    told
}

/// R0 to R2 are about to go; R3 brings in what S2's line is drawn at; R4 grows; R5 came last month.
const LEAVERS: &str = "id,arpu,tenure-months,life-stage,data-mb-m1\n\
    R0,49.99,30,decline,0\nR1,20.00,30,decline,0\nR2,49.99,30,decline,900\nR3,50.00,30,decline,0\n\
    R4,30.00,30,growth,0\nR5,30.00,2,decline,0";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_is_kept_in_three_ways_and_spoken_to_once() {
    let (folder, engine) = at_work(LEAVERS, "retention", json!({})).await;
    let key = |id: &str| engine.key_of(id);
    // At the desk: whoever wants to cancel, whatever they bring in; the agent may leave a task behind (商机录入).
    assert_eq!(asks(&engine, "R0", "bill", ten()).await.prompts, []);
    let first = asks(&engine, "R0", "cancel", ten() + 60_000).await;
    assert_eq!((first.prompts.len(), first.call_today), (1, 2));
    let prompt = &first.prompts[0];
    assert!(prompt.script.contains("在网30个月") && prompt.script.contains("连续三个月话费八折"), "{prompt:?}");
    assert!(prompt.sms.as_ref().is_some_and(|sms| sms.contains("次月生效")), "{prompt:?}");
    assert!(asks(&engine, "R4", "cancel", ten()).await.prompts.len() == 1, "low value or not");
    let answered = engine.answer_prompt(&prompt.id, true, Some(FollowUp::Task), AGENT, ten() + 120_000).await;
    let task = answered.expect("an answer").follow_up.expect("a task");

    // After a complaint: held while it is open, then called within three days.
    send(&engine, &event("c1", "complaint-opened", key("R3"), ten(), json!({})), ten()).await;
    assert_eq!(asks(&engine, "R3", "cancel", ten() + 60_000).await.prompts, [], "an open complaint holds offers");
    let closed = event("c2", "complaint-closed", key("R3"), ten() + DAY / 2, json!({}));
    let done = send(&engine, &closed, ten() + DAY / 2).await;
    assert_eq!((done.accepted, done.contacts), (1, Some(1)));
    let sorry = &support::messages(&engine, key("R3"), "retention").await[0].planned;
    assert_eq!((sorry.reason.as_str(), sorry.not_after), ("after-complaint", ten() + DAY / 2 + 3 * DAY));

    // Outbound: in decline and under 50 yuan (S2), but for whoever was spoken to in this quarter.
    let plan = run(&engine, &plan_of(DATE)).await;
    let decided = support::decisions(&engine, &plan.plan).await;
    let ruled = |id: &str| support::of(&decided, key(id)).get("retention").map(|d| (d.verdict, d.rule.clone()));
    assert_eq!(ruled("R0").map(|r| r.1).as_deref(), Some("same-occasion"), "said at the desk");
    for id in ["R1", "R2"] {
        assert_eq!(ruled(id).map(|r| r.0), Some(Verdict::Cleared), "{id}");
    }
    assert_eq!(["R3", "R4", "R5"].map(ruled), [None, None, None]);
    engine.dispatch("operator", support::evening(), &|_| true).await.expect("dispatch");
    let lines = support::lines(&support::outbox(folder.path()));
    let said = |id: &str| {
        let mine = lines.iter().filter(|line| line["customer"] == id && line["channel"] == "call-list");
        mine.map(|line| line["text"].as_str().unwrap_or_default()).collect::<String>()
    };
    assert!(said("R1").contains("改用更低月费的套餐"), "whoever pays least: {}", said("R1"));
    assert!(said("R2").contains("每月赠送1GB流量"), "whoever surfs: {}", said("R2"));
    assert_eq!(said("R0"), "");
    let lead = lines.iter().find(|line| line["contact"] == task.as_str()).expect("the task");
    assert_eq!((&lead["channel"], &lead["to"]), (&json!("action"), &json!("customer-service")));
}

/// U0 is the customer of S3: 286 minutes and 350 MB left on 29 July.
const LEFT_OVER: &str = "id,minutes-left,data-mb-left\nU0,286,350\nU1,59,99\nU2,0,100\nU3,60,0\nU4,286,350\nU5,400,0";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_of_a_package_is_told_in_the_last_days_of_the_month_once() {
    let (_folder, engine) = at_work(LEFT_OVER, "package-under-use", json!({})).await;
    let key = |id: &str| engine.key_of(id);
    customers(&engine, LEFT_OVER, "2026-07-27").await;
    assert_eq!(told(&engine, "2026-07-27", 1).await, [], "four days are left: not yet");
    // The desk says it first to one of them.
    let prompt = asks(&engine, "U4", "package", ten()).await.prompts.remove(0);
    assert!(prompt.script.contains("286分钟") && prompt.script.contains("350MB"), "{prompt:?}");
    engine.answer_prompt(&prompt.id, true, None, AGENT, ten()).await.expect("an answer");
    let told_of = told(&engine, DATE, 1).await;
    let who: BTreeSet<CustomerKey> = told_of.iter().map(|(who, ..)| *who).collect();
    assert_eq!(who, ["U0", "U2", "U3", "U5"].map(key).into(), "too little of both is not worth a message");
    let (_, _, text) = told_of.iter().find(|(who, ..)| *who == key("U0")).expect("the customer of S3");
    assert!(text.contains("还有286分钟通话和350MB流量") && text.contains("7月29日"), "{text}");
    assert_eq!(told(&engine, DATE, 2).await, [], "once a month");
    // Whoever changed the package needs no reminder of the old one.
    let changed = event("1", "package-changed", key("U5"), ten(), json!({}));
    assert_eq!(send(&engine, &changed, ten()).await.cancelled, Some(1));
    assert_eq!(support::states(&engine, key("U5"), "package-under-use").await, ["cancelled"]);
    customers(&engine, LEFT_OVER, "2026-07-31").await;
    assert_eq!(told(&engine, "2026-07-31", 1).await, [], "the month's occasion is used");
}

const GUESTS: &str = "id,tier\nF0,diamond\nF1,gold\nF2,silver\nF3,standard\nF4,none";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn festivals_of_both_calendars_are_greeted_on_their_day_and_a_leap_month_repeats_none() {
    let festivals = json!({"festivals": ["dragon-boat", "mid-autumn", "national-day", "labour-day"]});
    let (_folder, engine) = at_work(GUESTS, "festival", festivals).await;
    let calendar = repository().join("../shared/data/calendar/holiday-cn/2026.json");
    let labour = if let Ok(notice) = std::fs::read_to_string(&calendar) {
        let files = [("2026.json".to_owned(), notice)];
        engine.import_calendars(&files, "operator", NOW).await.expect("a calendar");
        Some("劳动节")
    } else {
        eprintln!("SKIPPED: no {}", calendar.display());
        None
    };
    let vip: BTreeSet<CustomerKey> = ["F0", "F1", "F2"].map(|id| engine.key_of(id)).into();
    for (date, festival) in [
        ("2026-04-30", None),
        ("2026-05-01", labour),
        ("2026-09-25", Some("中秋")),
        // Care reaches nobody twice in a week, and the last greeting is six days old.
        ("2026-10-01", None),
        ("2027-10-01", Some("国庆")),
        ("2027-10-02", None),
        ("2028-05-28", Some("端午")),
        // The fifth of the fifth once more, in the leap month of 2028.
        ("2028-06-27", None),
    ] {
        customers(&engine, GUESTS, date).await;
        let greeted = told(&engine, date, 1).await;
        let who: BTreeSet<CustomerKey> = greeted.iter().map(|(who, ..)| *who).collect();
        assert_eq!(who, festival.map(|_| vip.clone()).unwrap_or_default(), "{date}");
        let named = |text: &str| festival.is_some_and(|name| text.contains(name));
        assert!(greeted.iter().all(|(_, reason, text)| reason == "on-the-day" && named(text)), "{date}: {greeted:?}");
    }
    // Whoever comes by on the day hears it from the agent.
    let noon = time::parse_instant("2028-05-28T12:00:00").expect("an instant");
    let prompts = asks(&engine, "F0", "other", noon).await.prompts;
    assert!(prompts.len() == 1 && prompts[0].script.contains("端午"), "{prompts:?}");
    assert_eq!(asks(&engine, "F3", "other", noon).await.prompts, [], "a greeting to everybody is no care");
}
