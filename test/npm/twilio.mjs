// Twilio's own client, for internal/sms: it creates the message that the first
// argument describes, {origin, accountSid, authToken, messagingServiceSid, to,
// body}, with its host changed to origin, and prints what it read of the answer.
import twilio from 'twilio';

const { origin, accountSid, authToken, ...message } = JSON.parse(process.argv[2]);

class Elsewhere extends twilio.RequestClient {
  request(options) {
    const uri = new URL(options.uri);
    return super.request({ ...options, uri: origin + uri.pathname + uri.search });
  }
}

const client = twilio(accountSid, authToken, { httpClient: new Elsewhere() });
try {
  const { sid, status } = await client.messages.create(message);
  console.log(JSON.stringify({ sid, status }));
} catch ({ status, code }) {
  console.log(JSON.stringify({ status, code }));
}
