"use strict";

const token = document.getElementById("token");

async function send(form) {
  const output = form.querySelector("output");
  const headers = {};
  const query = new URLSearchParams();
  let path = form.dataset.path;
  for (const field of form.querySelectorAll("input")) {
    if (field.dataset.in === "path") path = path.replace(`{${field.name}}`, encodeURIComponent(field.value));
    else if (field.value === "") continue;
    else if (field.dataset.in === "query") query.append(field.name, field.value);
    else headers[field.name] = field.value;
  }
  const request = { method: form.dataset.method, headers, credentials: "omit", cache: "no-store" };
  const body = form.querySelector("textarea");
  if (body !== null && body.value !== "") {
    headers["Content-Type"] = form.dataset.mediaType;
    request.body = body.value;
  }
  if (token.value !== "") headers.Authorization = `Bearer ${token.value}`;
  output.textContent = "...";
  try {
    const response = await fetch(query.size > 0 ? `${path}?${query}` : path, request);
    output.textContent = `${response.status} ${response.statusText}\n\n${pretty(await response.text())}`;
  } catch (error) {
    output.textContent = String(error);
  }
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

for (const form of document.querySelectorAll("[data-path]")) {
  form.querySelector("button").addEventListener("click", () => send(form));
}
