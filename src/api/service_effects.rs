//! What of a Service's manifest comes to something else on this machine than on a cluster.

use serde_json::Value;

/// Of a port that is not that of the pods.
pub const PORT: &str = "leads nowhere: a Service is only a name here, and its pods are reached at their own port, the targetPort";
/// Of an address that somebody has picked.
pub const ADDRESS: &str =
    "nobody on this machine answers there: the Service's name leads to its pods, its variables lead nowhere";

/// A warning for each such field.
pub fn warnings(manifest: &Value) -> Vec<String> {
    let spec = &manifest["spec"];
    let address = spec["clusterIP"].as_str().unwrap_or_default();
    let mut found = Vec::new();
    // Whether it is an address at all has been judged before.
    let is_given = !["", "None"].contains(&address);
    if is_given && !address.starts_with("127.") && address != "::1" {
        found.push(format!("spec.clusterIP: {ADDRESS}"));
    }
    // Who asks a headless Service on a cluster has to know the pods' ports too.
    let is_proxied = address != "None" && spec["type"] != "ExternalName" && spec["selector"].is_object();
    let ports = spec["ports"].as_array().into_iter().flatten().enumerate();
    for (index, port) in ports.filter(|_| is_proxied) {
        let (own, target) = (port["port"].as_i64(), port["targetPort"].as_i64());
        if own.is_some() && target.is_some_and(|target| target != 0) && own != target {
            found.push(format!("spec.ports[{index}].port: {PORT}"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_leads_nowhere_is_said() {
        let fields = |spec: Value| {
            let found = warnings(&json!({"spec": spec}));
            let fields = found.iter().map(|one| one.split(": ").next().unwrap_or_default().to_owned());
            fields.collect::<Vec<_>>()
        };
        let ports =
            json!([{"port": 80}, {"port": 80, "targetPort": 8080}, {"port": 1, "targetPort": "http"}]);
        let selector = json!({"a": "b"});
        assert_eq!(fields(json!({"selector": selector, "ports": ports})), ["spec.ports[1].port"]);
        assert_eq!(fields(json!({"selector": selector, "clusterIP": "None", "ports": ports})), [""; 0]);
        assert_eq!(fields(json!({"type": "ExternalName", "ports": ports})), [""; 0]);
        assert_eq!(fields(json!({"clusterIP": "10.0.0.1"})), ["spec.clusterIP"]);
        assert_eq!(fields(json!({"clusterIP": "127.96.0.9"})), [""; 0]);
        assert_eq!(fields(json!({"clusterIP": ""})), [""; 0]);
    }
}
