// The courier's pages with and without signal. Every tap goes through the outbox (courier-queue.js), so that one made
// where there is no signal is the same as any other. Without this file the forms work as forms.
const { compressed, drawn, showPictures } = window.courierPictures;
const box = document.querySelector("courier-outbox");
const { person } = box.dataset;
const queue = window.courierQueue;
const part = name => box.querySelector(`[data-part=${name}]`);
const say = (name, values = {}) =>
	Object.entries(values).reduce((text, [key, value]) => text.replace(`{${key}}`, value), box.dataset[name] || "");
const time = at => new Date(at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" });
const word = kind => box.getAttribute(`data-tap-${kind}`) || kind;
const OVER = ["done", "failed", "skipped"];
const AFTER = { arrive: "arrived", unloading: "unloading", complete: "done", load_all: "done", fail: "failed" };
let sending = false;
let touched = false;

const mine = async store => (await queue.all(store)).filter(row => row.person === person);

/** How a stop stands after the taps that wait. */
const after = (taps, stop, state) => taps
	.filter(tap => AFTER[tap.kind] && (tap.stop === stop || (tap.here || []).includes(stop)))
	.reduce((now, tap) => (OVER.includes(now) ? now : AFTER[tap.kind]), state);

const started = (taps, route, state) => (taps.some(tap => tap.kind === "start" && tap.stop === route) ? "started" : state);

const checked = (taps, route, was) => taps
	.filter(tap => tap.kind === "check" && tap.stop === route)
	.reduce((_now, tap) => tap.payload.may_drive !== "no", was);

const nextAction = (kind, state) => {
	if (OVER.includes(state)) {
		return "over";
	}
	return state === "planned" ? "arrive" : kind === "drop" && state === "arrived" ? "unloading" : "complete";
};

// What waits, what the server refused

const drawBar = async (taps, state) => {
	const waits = taps.length > 0;
	part("bar").hidden = !waits && navigator.onLine;
	part("sum").textContent = !waits ? say("sayOffline") : say(sending && navigator.onLine ? "saySending" : "sayWaits", { n: taps.length });
	part("list").replaceChildren(...taps.map(tap => {
		const row = document.createElement("li");
		const files = tap.files.length ? `, ${say("sayPhotos", { n: tap.files.length })}` : "";
		row.textContent = `${word(tap.kind)}, ${time(tap.at)}${tap.place ? `, ${tap.place}` : ""}${files}`;
		return row;
	}));
	part("signin").hidden = state !== "signin";
	part("signin-text").textContent = say("saySignin");
	const foreign = (await queue.all("taps")).length - taps.length;
	part("foreign").hidden = !foreign;
	part("foreign-text").textContent = say("sayForeign", { n: foreign });
};

const drawTold = async () => {
	box.querySelectorAll("[data-told]").forEach(old => old.remove());
	for (const told of await mine("told")) {
		const card = part("conflict").content.firstElementChild.cloneNode(true);
		const set = (name, text) => { card.querySelector(`[data-part=${name}]`).textContent = text; };
		card.dataset.told = told.key;
		set("title", told.failed ? say("sayConflict") : told.text);
		set("did", `${say("sayDid", { what: word(told.kind), time: time(told.at) })}${told.place ? `, ${told.place}` : ""}${told.photos ? `, ${say("sayPhotos", { n: told.photos })}` : ""}`);
		set("now", [told.failed ? told.text : "", told.now].filter(Boolean).join(" "));
		set("kept", say("sayKept"));
		const open = card.querySelector("[data-part=open]");
		open.hidden = !AFTER[told.kind];
		open.href = `/courier/stops/${told.stop}`;
		card.querySelector("[data-part=seen]").addEventListener("click", async () => {
			await queue.drop("told", told.id);
			card.remove();
		});
		box.append(card);
	}
};

// The page as it will be when what waits has been sent

const tick = (item, text) => {
	const tag = document.createElement("span");
	tag.className = "tag ok";
	tag.append(part("tag").content.cloneNode(true), ` ${text}`);
	item.replaceChildren(tag);
};

const fill = (place, template) => {
	if (place && template) {
		place.replaceChildren(template.content.cloneNode(true));
	}
};

const drawStop = taps => {
	const page = document.querySelector("courier-stop");
	if (!page) {
		return;
	}
	const { stop, kind, route } = page.dataset;
	const state = after(taps, stop, page.dataset.state);
	const routeState = started(taps, route, page.dataset.routeState);
	const wanted = routeState === "planned" && !OVER.includes(state) ? "start" : nextAction(kind, state);
	const key = wanted === "start" ? `start${checked(taps, route, page.dataset.checked === "1") ? "" : "-check"}` : wanted;
	const shown = page.dataset.shown || (page.dataset.action === "start" && page.dataset.checked !== "1" ? "start-check" : page.dataset.action);
	if (key !== shown) {
		page.dataset.shown = key;
		fill(document.querySelector(".thumb [data-part=main]"), page.querySelector(`template[data-main=${wanted}]`));
		if (wanted === "complete") {
			fill(page.querySelector("[data-part=body]"), page.querySelector("template[data-body=complete]"));
			prepare(page);
		} else if (wanted === "over") {
			page.querySelector("[data-part=body]").inert = true;
		}
	}
	const queued = taps.filter(tap => tap.stop === stop && AFTER[tap.kind]);
	document.querySelectorAll("form[data-subject] [name=version]").forEach(field => {
		if (field.form.dataset.subject === stop) {
			field.value = Number(page.dataset.version) + queued.length;
		}
	});
	queued.forEach(tap => {
		const item = document.querySelector(`[data-progress=${tap.kind === "arrive" || tap.kind === "unloading" ? tap.kind : "complete"}]`);
		if (item) {
			tick(item, `${word(tap.kind)} ${time(tap.at)}`);
		}
	});
};

const drawRoute = taps => {
	const page = document.querySelector("courier-route");
	const thumb = document.getElementById("thumb");
	if (!page || !thumb || !taps.length) {
		return;
	}
	const stops = [...page.querySelectorAll("template[data-ahead][data-kind]")];
	const failed = new Set(taps.filter(tap => tap.kind === "fail").map(tap => tap.stop));
	const left = new Set(stops.filter(one => failed.has(one.dataset.ahead) && one.dataset.kind === "pickup").map(one => one.dataset.delivery));
	const state = one => (one.dataset.kind === "drop" && left.has(one.dataset.delivery) ? "skipped" : after(taps, one.dataset.ahead, one.dataset.now));
	const next = stops.find(one => !OVER.includes(state(one)));
	page.querySelectorAll("[data-stop]").forEach(row => {
		const one = stops.find(stop => stop.dataset.ahead === row.dataset.stop);
		if (one && OVER.includes(state(one))) {
			row.querySelector(".axis").classList.add("is-done");
			fill(row.querySelector(".axis"), part("tag"));
		} else if (one === next) {
			row.hidden = true;
		}
	});
	const routeState = started(taps, page.dataset.route, page.dataset.state);
	fill(page.querySelector("[data-part=ahead]"), next || page.querySelector("template[data-ahead=over]"));
	if (!next) {
		thumb.hidden = true;
		return;
	}
	fill(thumb, page.querySelector(`template[data-thumb="${next.dataset.ahead}"]`));
	const main = thumb.firstElementChild;
	if (routeState === "planned") {
		if (checked(taps, page.dataset.route, page.dataset.checked === "1")) {
			main.replaceWith(page.querySelector("template[data-thumb=start]").content.cloneNode(true));
		} else {
			location.reload();
		}
	} else if (state(next) !== "planned" && main.dataset.tap) {
		const link = document.createElement("a");
		link.className = "btn main tall wide";
		link.href = `/courier/stops/${next.dataset.ahead}`;
		link.textContent = next.content.querySelector("h2").textContent;
		main.replaceWith(link);
	}
};

const draw = async state => {
	const taps = await mine("taps");
	await drawBar(taps, state);
	await drawTold();
	drawStop(taps);
	drawRoute(taps);
	return taps;
};

// Sending

const answered = new Map();

const send = async direct => {
	sending = true;
	try {
		const sent = await queue.flush(person, direct);
		sent.answers.forEach((said, key) => answered.set(key, said));
		return sent;
	} finally {
		sending = false;
	}
};

/** Send in the background; when everything went, the page is asked for anew unless somebody is typing in it. */
const sendWaiting = async () => {
	if (sending || !(await mine("taps")).length) {
		return;
	}
	const { state, answers } = await send();
	const left = await draw(state);
	if (answers.size && !left.length && !touched) {
		location.reload();
	}
};

const showErrors = (form, said) => {
	const place = document.querySelector("[data-errors]");
	const list = document.createElement("ul");
	list.append(...said.map(([name, text]) => {
		const row = document.createElement("li");
		const link = document.createElement("a");
		link.href = `#${/^\d+$/.test(name) ? `line-${name}` : name}`;
		link.textContent = text;
		row.append(link);
		return row;
	}));
	const card = document.createElement("div");
	card.className = "errors";
	card.tabIndex = -1;
	card.setAttribute("role", "alert");
	card.append(list);
	(place || form).hidden = false;
	if (place) {
		place.replaceChildren(card);
	} else {
		form.prepend(card);
	}
	form.closest("dialog")?.close();
	card.scrollIntoView({ block: "center" });
	card.focus();
};

const here = () => new Promise(done => {
	if (!navigator.geolocation || box.dataset.tracking !== "1") {
		done(null);
		return;
	}
	const timer = setTimeout(() => done(null), 1500);
	navigator.geolocation.getCurrentPosition(at => {
		clearTimeout(timer);
		done({ lat: at.coords.latitude, lon: at.coords.longitude });
	}, () => done(null), { maximumAge: 60000, timeout: 1400 });
});

const filesOf = async (form, at) => {
	const found = [];
	for (const input of form.querySelectorAll("input[type=file]")) {
		const line = input.name.startsWith("photo_") ? input.name.slice(6) : "";
		const role = line ? "line" : form.dataset.tap === "check" || form.dataset.tap === "end" ? "check" : "photo";
		for (const file of input.files) {
			const blob = await compressed(file);
			found.push({ key: crypto.randomUUID(), role, line, at, blob, name: blob === file ? file.name : "photo.jpg" });
		}
	}
	const sign = form.querySelector("[name=sign]");
	if (sign?.value) {
		found.push({ key: crypto.randomUUID(), role: "signature", at, blob: await drawn(JSON.parse(sign.value)), name: "signature.png" });
	}
	return found;
};

const tapOf = async form => {
	const at = new Date().toISOString();
	const [position, files] = await Promise.all([here(), filesOf(form, at)]);
	const payload = {};
	for (const [name, value] of new FormData(form)) {
		if (typeof value === "string" && !["csrf_token", "version", "sign", "code", "date"].includes(name)) {
			payload[name] = value;
		}
	}
	const version = Number(form.querySelector("[name=version]")?.value) || null;
	return {
		person, key: crypto.randomUUID(), kind: form.dataset.tap, stop: form.dataset.subject, at, position, version, payload,
		files, offline: !navigator.onLine, here: (form.dataset.here || "").split(" ").filter(Boolean),
		place: document.querySelector("h2.addr")?.textContent || "",
	};
};

const evident = tap => tap.files.some(file => file.role === "signature" || file.role === "photo" || file.role === "line");

const goOn = tap => {
	const stays = tap.kind === "arrive" || tap.kind === "unloading";
	location.assign(stays ? `/courier/stops/${tap.stop}` : "/courier");
};

const press = async form => {
	const tap = await tapOf(form);
	const isDrop = document.querySelector("courier-stop")?.dataset.kind === "drop";
	if (tap.offline && tap.kind === "complete" && isDrop && !evident(tap)) {
		showErrors(form, [["received", say("sayEvidence")]]);
		return;
	}
	try {
		await queue.put("taps", tap);
	} catch {
		showErrors(form, [["main", say("sayFull")]]);
		return;
	}
	touched = false;
	await drawBar(await mine("taps"));
	const direct = { key: tap.key };
	const patience = new Promise(done => setTimeout(() => done({ state: "waits" }), 12000));
	const { state } = await Promise.race([send(direct), patience]);
	direct.left = true;
	const said = answered.get(tap.key);
	const left = await mine("taps");
	if (left.length) {
		navigator.serviceWorker?.ready.then(worker => worker.sync?.register("courier-outbox")).catch(() => undefined);
	}
	if (said && (said.became === "refused" || said.became === "conflict")) {
		await draw(state);
		if (said.became === "refused" && !tap.offline) {
			showErrors(form, said.errors.length ? said.errors : [["main", said.text]]);
		}
	} else if (said || !left.some(one => one.key === tap.key) || ["complete", "load_all", "fail", "check", "end"].includes(tap.kind)) {
		goOn(tap);
	} else {
		form.closest("dialog")?.close();
		await draw(state);
	}
};

addEventListener("submit", async event => {
	const form = event.target.closest("form[data-tap]");
	if (!form || event.submitter?.name.endsWith("_step") || !window.indexedDB) {
		return;
	}
	event.preventDefault();
	if (form.ariaBusy === "true") {
		return;
	}
	form.ariaBusy = "true";
	try {
		await press(form);
	} finally {
		form.ariaBusy = null;
	}
}, true);

// Fields that only a script can serve

const prepare = root => {
	customElements.whenDefined("sign-pad").then(() => root.querySelectorAll("sign-pad").forEach(pad => {
		pad.hidden = false;
		pad.fit();
	}));
};
prepare(document);
addEventListener("input", () => { touched = true; });
addEventListener("change", event => {
	if (event.target.matches("input[data-photo]")) {
		showPictures(event.target);
	}
});
addEventListener("qty", event => {
	const line = event.target.closest("[data-line]");
	const less = line?.querySelector("[data-less]");
	if (less && event.detail < event.target.most) {
		less.open = true;
	}
}, true);

// Kept in the phone

const keepPages = worker => {
	const seen = new Map([[location.pathname + location.search, ""]]);
	document.querySelectorAll("[data-tag]").forEach(one => seen.set(one.dataset.keep || one.getAttribute("href"), one.dataset.tag));
	if (document.querySelector("courier-route")) {
		seen.set("/courier", "").set("/courier/map.json", "");
		document.querySelectorAll("live-map").forEach(map => seen.set(map.dataset.base, "base"));
	}
	worker.postMessage({ person, keep: [...seen].filter(([url]) => url).map(([url, tag]) => ({ url, tag })) });
};

if ("serviceWorker" in navigator) {
	navigator.serviceWorker.addEventListener("message", event => {
		if (event.data.kept) {
			document.documentElement.dataset.kept = event.data.kept;
		}
	});
	navigator.serviceWorker.register(box.dataset.worker, { scope: "/courier" }).catch(() => undefined);
	navigator.serviceWorker.ready.then(worker => { if (navigator.onLine) { keepPages(worker.active); } });
}
queue.setMeta("person", person);
addEventListener("online", sendWaiting);
addEventListener("offline", () => draw());
document.addEventListener("visibilitychange", () => { if (!document.hidden) { sendWaiting(); } });
setInterval(sendWaiting, 30000);
draw().then(sendWaiting);
if (box.dataset.tracking === "1") {
	window.courierPositions.watch(person, queue);
}
