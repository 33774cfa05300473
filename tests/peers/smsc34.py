"""A short-message centre made with smpp34: takes everything and reports it delivered. Arguments: port, log file."""

import asyncio
import json
import sys

import smpp34


async def main(port: int, log: str) -> None:
    server = smpp34.Server("127.0.0.1", port, system_id="smsc34")
    await server.start()
    print(f"port {port}", flush=True)
    taken = 0
    esme = None
    with open(log, "a", encoding="utf-8") as out:
        while True:
            event = await server.next()
            if isinstance(event, smpp34.Esme):
                esme = event
            elif isinstance(event, smpp34.SubmitSmEvent):
                taken += 1
                message_id = f"p{taken}"
                event.accept(message_id)
                seen = {"to": event.destination_addr, "hex": event.short_message.hex(), "coding": event.data_coding,
                        "esm": event.esm_class, "id": message_id}
                out.write(json.dumps(seen) + "\n")
                out.flush()
                text = f"id:{message_id} sub:001 dlvrd:001 submit date:2607291000 done date:2607291001 stat:DELIVRD err:000 text:"
                tlvs = [smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, message_id.encode() + b"\0"),
                        smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, bytes([2]))]
                asyncio.ensure_future(report(esme, event.destination_addr, text, tlvs))


async def report(esme, number, text, tlvs) -> None:
    await esme.deliver_sm("10086", text.encode(), source_addr=number, esm_class=4, tlvs=tlvs)


asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
