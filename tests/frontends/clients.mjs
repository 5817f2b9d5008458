// One turn with each JavaScript client against a gateway: `node clients.mjs NAME ADDRESS`; prints what it saw as JSON.

const [name, address] = process.argv.slice(2);
const QUESTION = "Does warfarin interact with ibuprofen?";
const base = `${address}/v1`;

const clients = {
  async openai() {
    const { default: OpenAI } = await import("openai");
    const client = new OpenAI({ baseURL: base, apiKey: "none", maxRetries: 0 });
    const models = (await client.models.list()).data.map((model) => model.id);
    const seen = { models, text: "", reasoning: "", annotations: [], usage: null };
    const stream = await client.chat.completions.create({
      model: "by_rules", messages: [{ role: "user", content: QUESTION }], stream: true, stream_options: { include_usage: true },
    });
    for await (const chunk of stream) {
      const delta = chunk.choices[0]?.delta ?? {};
      seen.text += delta.content ?? "";
      seen.reasoning += delta.reasoning_content ?? "";
      seen.annotations.push(...(delta.annotations ?? []));
      seen.usage = chunk.usage ?? seen.usage;
    }
    try {
      await client.chat.completions.create({ model: "none", messages: [{ role: "user", content: "x" }] });
    } catch (error) {
      seen.error = { status: error.status, code: error.code };
    }
    return seen;
  },

  async "ai-sdk"() {
    const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
    const { streamText } = await import("ai");
    const provider = createOpenAICompatible({ name: "wardround", baseURL: base, apiKey: "none", includeUsage: true });
    const result = streamText({ model: provider("by_rules"), prompt: QUESTION, maxRetries: 0 });
    const seen = { text: "", reasoning: "", errors: [] };
    for await (const part of result.fullStream) {
      if (part.type === "text-delta") seen.text += part.text;
      if (part.type === "reasoning-delta") seen.reasoning += part.text;
      if (part.type === "error") seen.errors.push(String(part.error));
    }
    seen.usage = await result.usage;
    return seen;
  },

  async langchain() {
    const { ChatOpenAI } = await import("@langchain/openai");
    const model = new ChatOpenAI({ model: "by_rules", apiKey: "none", configuration: { baseURL: base }, maxRetries: 0 });
    let text = "";
    for await (const chunk of await model.stream(QUESTION)) text += chunk.text ?? chunk.content;
    return { text, whole: (await model.invoke(QUESTION)).text };
  },

  async librechat() {
    const { Run, Providers, GraphEvents, ChatModelStreamHandler } = await import("@librechat/agents");
    const { HumanMessage } = await import("@langchain/core/messages");
    const seen = { text: "", reasoning: "" };
    const run = await Run.create({
      runId: "r1",
      graphConfig: {
        type: "standard",
        llmConfig: { provider: Providers.OPENAI, model: "by_rules", apiKey: "none", streaming: true, streamUsage: true, configuration: { baseURL: base } },
      },
      customHandlers: {
        [GraphEvents.CHAT_MODEL_STREAM]: new ChatModelStreamHandler(),
        [GraphEvents.ON_MESSAGE_DELTA]: { handle: (_, data) => { for (const part of data.delta.content ?? []) seen.text += part.text ?? ""; } },
        [GraphEvents.ON_REASONING_DELTA]: { handle: (_, data) => { for (const part of data.delta.content ?? []) seen.reasoning += part.think ?? ""; } },
      },
      returnContent: true,
    });
    const content = await run.processStream({ messages: [new HumanMessage(QUESTION)] }, { configurable: { thread_id: "t", user_id: "u" }, streamMode: "values", version: "v2" });
    return { ...seen, content };
  },

  async "ag-ui"() {
    const { HttpAgent } = await import("@ag-ui/client");
    const agent = new HttpAgent({ url: `${address}/agui/by_rules`, threadId: "js" });
    agent.messages = [{ id: "m1", role: "user", content: QUESTION }];
    const kinds = [];
    await agent.runAgent({}, { onEvent: ({ event }) => { kinds.push(event.type); } });
    return { kinds, text: agent.messages.at(-1).content, state: Object.keys(agent.state) };
  },
};

console.log(JSON.stringify(await clients[name]()));
process.exit(0);
