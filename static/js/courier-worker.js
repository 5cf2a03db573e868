// The service worker of the courier's pages: the network first, the last copy where there is no signal.
// /courier/sw.js sets SHELL and loads this after courier-queue.js.
"use strict";
const STATIC = "courier-static";
const PAGES = "courier-pages-";
const PATIENCE = 5000;

self.addEventListener("install", event => event.waitUntil((async () => {
	const kept = await caches.open(STATIC);
	await Promise.all(SHELL.map(async url => await kept.match(url) || kept.add(url)));
	await self.skipWaiting();
})()));

self.addEventListener("activate", event => event.waitUntil((async () => {
	const kept = await caches.open(STATIC);
	const wanted = new Set(SHELL.map(url => new URL(url, location).href));
	for (const request of await kept.keys()) {
		if (!wanted.has(request.url)) {
			await kept.delete(request);
		}
	}
	await self.clients.claim();
})()));

const own = async () => await courierQueue.meta("person") || "";

/** Keep an answer under its person; pages of whoever used the phone before go. */
const keep = async (url, answer, tag) => {
	const person = answer.headers.get("Courier-Person") || await own();
	if (!answer.ok || answer.redirected || !person) {
		return;
	}
	if (answer.headers.get("Courier-Person") && person !== await own()) {
		await courierQueue.setMeta("person", person);
		for (const name of await caches.keys()) {
			if (name.startsWith(PAGES) && name !== PAGES + person) {
				await caches.delete(name);
			}
		}
	}
	await (await caches.open(PAGES + person)).put(url, answer);
	if (tag !== undefined) {
		await courierQueue.setMeta(`tag ${person} ${url}`, tag);
	}
};

const copyOf = async url => {
	const pages = await caches.open(PAGES + await own());
	const wanted = new URL(url);
	return await pages.match(url) || (wanted.pathname === "/courier" ? pages.match(wanted.origin + "/courier") : undefined);
};

const page = async event => {
	const url = event.request.url.split("#")[0];
	const fresh = fetch(event.request).then(answer => {
		const copy = answer.clone();
		event.waitUntil(keep(url, copy).catch(() => undefined));
		return answer;
	});
	const copy = await copyOf(url);
	if (!copy) {
		return fresh;
	}
	const slow = new Promise(done => setTimeout(done, PATIENCE));
	const answer = await Promise.race([fresh, slow]).catch(() => null);
	return answer && answer.status < 500 ? answer : copy;
};

self.addEventListener("fetch", event => {
	const url = new URL(event.request.url);
	if (event.request.method !== "GET" || url.origin !== location.origin) {
		return;
	}
	if (url.pathname.startsWith("/static/")) {
		event.respondWith(caches.open(STATIC).then(kept => kept.match(event.request.url)).then(copy => copy || fetch(event.request)));
	} else if (/^\/courier(\/|$)/.test(url.pathname) && !/^\/courier\/(outbox|sw\.js)/.test(url.pathname)) {
		event.respondWith(page(event));
	}
});

/** A page names what the driver will need without signal: [{url, tag}]; what is there under the same tag is left. */
const keepAll = async (person, wanted) => {
	await courierQueue.setMeta("person", person);
	const pages = await caches.open(PAGES + person);
	for (const { url, tag } of wanted) {
		const whole = new URL(url, location).href;
		if (tag && await courierQueue.meta(`tag ${person} ${whole}`) === tag && await pages.match(whole)) {
			continue;
		}
		const answer = await fetch(whole, { credentials: "same-origin", redirect: "manual" });
		await keep(whole, answer, tag);
	}
};

self.addEventListener("message", event => {
	if (event.data.keep) {
		event.waitUntil(keepAll(event.data.person, event.data.keep)
			.then(() => event.source?.postMessage({ kept: event.data.keep.length })).catch(() => undefined));
	}
});

self.addEventListener("sync", event => {
	if (event.tag === "courier-outbox") {
		event.waitUntil(courierQueue.flushEverybody().then(left => {
			if (left && !event.lastChance) {
				throw new Error("still waiting");  // the browser tries again later
			}
		}));
	}
});
