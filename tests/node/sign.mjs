// Signature of a body by the sender's own code: node sign.mjs github|stripe SECRET TIMESTAMP < BODY
import { text } from "node:stream/consumers";
import { sign } from "@octokit/webhooks-methods";
import Stripe from "stripe";

const [sender, secret, timestamp] = process.argv.slice(2);
const payload = await text(process.stdin);
const signers = {
  github: () => sign(secret, payload),
  stripe: () => Stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: Number(timestamp) }),
};
process.stdout.write(await signers[sender]());
