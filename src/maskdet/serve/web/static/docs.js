// The API's page: Swagger UI over /openapi.json, with the session's word in what it sends.
(async () => {
  const answer = await fetch("/api/session");
  const who = answer.ok ? await answer.json() : { csrf: null };
  window.SwaggerUIBundle({
    url: "/openapi.json",
    dom_id: "#docs",
    deepLinking: false,
    validatorUrl: null,
    requestInterceptor: (request) => {
      if (who.csrf) request.headers["X-CSRF-Token"] = who.csrf;
      return request;
    },
  });
})();
