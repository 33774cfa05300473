//! What a centre sends by itself: receipts, customers' messages, late and second answers, garbage.

use super::Shared;
use super::bind::{Bind, Expected, Unwaited};
use crate::Inbound;
use care_domain::dispatch::{MessageState, Receipt};
use care_domain::sms::{Encoding, decode};
use futures::{Stream, StreamExt};
use rusmpp::pdus::{DeliverSm, DeliverSmResp};
use rusmpp::tlvs::TlvValue;
use rusmpp::values::{DataCoding, GsmFeatures, MessageType};
use rusmpp::{Command, CommandStatus, Pdu};
use rusmppc::error::Error;
use rusmppc::{Client, Event};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Listens until the connection ends; says how it ended.
pub(crate) async fn listen<S: Stream<Item = Event> + Unpin>(
    bind: &Bind,
    shared: &Arc<Shared>,
    client: &Client,
    mut events: S,
) -> String {
    while let Some(event) = events.next().await {
        match event {
            Event::Incoming(command) => heard(bind, shared, client, command).await,
            Event::Error(Error::ConnectionClosedByPeer) => return "the centre closed the connection".into(),
            Event::Error(Error::EnquireLinkTimeout { .. }) => return "the link did not answer".into(),
            Event::Error(Error::Decode(_)) => {
                shared.count("garbage");
                return "the centre sent garbage".into();
            }
            Event::Error(_) => return "the link broke".into(),
        }
    }
    "the connection ended".into()
}

async fn heard(bind: &Bind, shared: &Arc<Shared>, client: &Client, command: Command) {
    let (status, sequence) = (command.status(), command.sequence_number());
    match command.pdu() {
        Some(Pdu::DeliverSm(deliver)) => delivered(shared, client, sequence, deliver).await,
        Some(Pdu::Unbind) => {
            let _ = client.unbind_resp(sequence).await;
            shared.count("unbound");
            let _ = client.close().await;
        }
        Some(Pdu::SubmitSmResp(late)) if u32::from(status) == 0 => {
            let id = late.message_id().as_str().to_owned();
            answered(bind, shared, sequence, Unwaited { status: 0, id }).await;
        }
        _ if command.id() == rusmpp::CommandId::SubmitSmResp => {
            answered(bind, shared, sequence, Unwaited { status: u32::from(status), id: String::new() }).await;
        }
        _ => shared.count("unasked"),
    }
}

/// An answer that nobody waits for: late, or a second one.
async fn answered(bind: &Bind, shared: &Shared, sequence: u32, answer: Unwaited) {
    match bind.late(sequence, answer) {
        Some((Expected { contact, attempt, ids }, answer)) => {
            shared.count("late-answers");
            let _ = shared.inbound.send(Inbound::Late { contact, attempt, answer: answer.answer(ids) }).await;
        }
        None => shared.count("second-answers"),
    }
}

/// Hands a receipt or a reply on, and answers the centre when it was kept: what was not is sent again.
async fn delivered(shared: &Arc<Shared>, client: &Client, sequence: u32, deliver: &DeliverSm) {
    let (kept, was_kept) = oneshot::channel();
    let inbound = match receipt_of(deliver) {
        Some(Some(receipt)) => Inbound::Receipt { receipt, kept },
        // It says that it is a receipt and cannot be read: kept nowhere, and no use in sending it again.
        Some(None) => {
            shared.count("unreadable-receipts");
            let _ = client.deliver_sm_resp(sequence, DeliverSmResp::default()).await;
            return;
        }
        None => Inbound::Reply { from: deliver.source_addr.as_str().to_owned(), text: text_of(deliver), kept },
    };
    if shared.inbound.send(inbound).await.is_err() {
        return;
    }
    // The centre's next message need not wait until this one is on disk.
    let client = client.clone();
    tokio::spawn(async move {
        let status = match was_kept.await {
            Ok(true) => CommandStatus::EsmeRok,
            // "Temporary application error": the centre tries again.
            _ => CommandStatus::EsmeRxTAppn,
        };
        let _ = client.status(status).deliver_sm_resp(sequence, DeliverSmResp::default()).await;
    });
}

/// `None` when it is no receipt, `Some(None)` when it is one that cannot be read.
fn receipt_of(deliver: &DeliverSm) -> Option<Option<Receipt>> {
    let (mut id, mut state) = (None, None);
    for tlv in deliver.tlvs() {
        match tlv.value() {
            Some(TlvValue::ReceiptedMessageId(value)) => id = Some(value.as_str().to_owned()),
            Some(TlvValue::MessageState(value)) => state = MessageState::from_number(u8::from(*value)),
            _ => {}
        }
    }
    let says_so = !matches!(deliver.esm_class.message_type, MessageType::Default);
    if !says_so && id.is_none() {
        return None;
    }
    let read = Receipt::parse(&text_of(deliver));
    let id = id.or(read.as_ref().map(|r| r.id.clone())).filter(|id| !id.is_empty());
    let state = state.or(read.as_ref().map(|r| r.state));
    Some(id.zip(state).map(|(id, state)| Receipt { id, state, error: read.map(|r| r.error).unwrap_or_default() }))
}

fn text_of(deliver: &DeliverSm) -> String {
    let octets: &[u8] = deliver.short_message();
    let payload = deliver.tlvs().iter().find_map(|tlv| match tlv.value() {
        Some(TlvValue::MessagePayload(payload)) => Some(payload.value.as_ref()),
        _ => None,
    });
    let octets = payload.filter(|_| octets.is_empty()).unwrap_or(octets);
    let has_header =
        matches!(deliver.esm_class.gsm_features, GsmFeatures::UdhiIndicator | GsmFeatures::SetUdhiAndReplyPath);
    let header = if has_header { octets.first().map_or(0, |length| usize::from(*length) + 1) } else { 0 };
    let octets = octets.get(header..).unwrap_or_default();
    match deliver.data_coding {
        DataCoding::Ucs2 => decode(Encoding::Ucs2, octets),
        DataCoding::McSpecific => decode(Encoding::Gsm7, octets),
        DataCoding::Latin1 => octets.iter().map(|octet| char::from(*octet)).collect(),
        _ => String::from_utf8_lossy(octets).into_owned(),
    }
}
